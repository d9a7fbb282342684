// SPDX-License-Identifier: BSD-2-Clause

// The workloads of bench/peers/README.md: an actor is a goroutine that receives from a channel.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A sample's goroutines report to results, once a part; the sum is expected.
type sample struct {
	start                func() // sends what sets off the work
	results              chan int64
	parts                int64
	expected, operations int64
	more                 func() string // further keys of the output
	stop                 func()        // ends the goroutines that have not ended by themselves
}

type workload struct {
	name, defaults string
	check          func(params) error
	build          func(params) *sample
}

// tuned: channels have room for all that can be in flight.
var tuned bool

// room is the capacity of a channel: what it needs lest the program deadlock, or what can be in flight.
func room(least, inFlight int64) int64 {
	if tuned {
		return max(least, min(inFlight, 1024))
	}
	return least
}

func makeChannels[T any](count, capacity int64) []chan T {
	all := make([]chan T, count)
	for i := range all {
		all[i] = make(chan T, capacity)
	}
	return all
}

func closeAll[T any](channels []chan T) {
	for _, c := range channels {
		close(c)
	}
}

func newSample(parts, operations int64) *sample {
	return &sample{results: make(chan int64), parts: parts, expected: operations, operations: operations}
}

// share is in whole windows.
func share(messages, shares, window int64) int64 {
	window = max(window, 1)
	return messages / shares / window * window
}

// random is xorshift64*.
type random uint64

func (r *random) below(n int) int {
	x := *r
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	*r = x
	return int(x * 0x2545F4914F6CDD1D % random(n))
}

// ---- ping_pong, thread_ring: balls with the hops left go to the next player ----

func player(in <-chan int64, next chan<- int64, results chan<- int64, hops int64) {
	for left := range in {
		if left == 0 {
			results <- hops
		} else {
			next <- left - 1
		}
	}
}

func ring(actors, tokens, hops int64) *sample {
	s := newSample(tokens, hops*tokens)
	// all tokens may meet at one player
	least := tokens
	if tokens == 1 {
		least = 0
	}
	players := makeChannels[int64](actors, room(least, tokens))
	for i, in := range players {
		go player(in, players[(i+1)%len(players)], s.results, hops)
	}
	s.start = func() {
		for i := range tokens {
			players[i%actors] <- hops - 1
		}
	}
	s.stop = func() { closeAll(players) }
	return s
}

// ---- one_way, fan_in: a credit back per window, the next window starts with it ----

func producer(credits <-chan struct{}, items chan<- int64, self, messages, window int64) {
	if window == 0 {
		window = messages
	}
	for messages > 0 {
		<-credits
		n := min(window, messages)
		for range n {
			items <- self
		}
		messages -= n
	}
}

func counter(items <-chan int64, credits []chan struct{}, results chan<- int64, total, window int64) {
	counts := make([]int64, len(credits))
	for count := int64(0); count < total; count++ {
		from := <-items
		counts[from]++
		if counts[from] == window {
			counts[from] = 0
			credits[from] <- struct{}{}
		}
	}
	results <- total
}

func fanIn(producers, messages, window int64) *sample {
	each := share(messages, producers, window)
	s := newSample(1, each*producers)
	inFlight := window * producers
	if window == 0 {
		inFlight = messages
	}
	items := make(chan int64, room(0, inFlight))
	// a producer that has sent all takes no credit any more
	credits := makeChannels[struct{}](producers, 1)
	go counter(items, credits, s.results, each*producers, window)
	for i, c := range credits {
		go producer(c, items, int64(i), each, window)
	}
	s.start = func() {
		for _, c := range credits {
			c <- struct{}{}
		}
	}
	return s
}

// ---- pairs: a window there, each answered; the next after the last answer ----

func ponger(pings <-chan int64, pongs chan<- int64) {
	for n := range pings {
		pongs <- n
	}
}

func windowPinger(begin <-chan struct{}, pings chan<- int64, pongs <-chan int64, results chan<- int64, messages, window int64) {
	<-begin
	count := int64(0)
	for count < messages {
		for i := range window {
			pings <- i
		}
		for range window {
			<-pongs
			count++
		}
	}
	results <- 2 * count
	close(pings)
}

func pairs(pairs, messages, window int64) *sample {
	each := share(messages, pairs*2, window)
	s := newSample(pairs, 2*each*pairs)
	begin := make(chan struct{})
	for range pairs {
		// the answers to a window must fit: nobody takes them before the window is sent
		pings, pongs := make(chan int64, room(0, window)), make(chan int64, window)
		go ponger(pings, pongs)
		go windowPinger(begin, pings, pongs, s.results, each, window)
	}
	s.start = func() {
		for range pairs {
			begin <- struct{}{}
		}
	}
	return s
}

// ---- big: pings to random others, the next after the pong ----

const pong = -1 // any other message is a ping and names its sender

func bigActor(self int, all []chan int64, results chan<- int64, pings int64, r random) {
	pongs := int64(-1)
	for message := range all[self] {
		if message != pong {
			all[message] <- pong
			continue
		}
		if pongs++; pongs == pings {
			results <- 2 * pongs
			continue
		}
		to := r.below(len(all) - 1)
		if to >= self {
			to++
		}
		all[to] <- int64(self)
	}
}

func big(actors, pings, seed int64) *sample {
	s := newSample(actors, 2*actors*pings)
	all := makeChannels[int64](actors, actors+1) // a ping from each, and a pong
	for i := range all {
		go bigActor(i, all, s.results, pings, random(seed+int64(i)))
	}
	s.start = func() {
		for _, c := range all {
			c <- pong
		}
	}
	s.stop = func() { closeAll(all) }
	return s
}

// ---- chameneos ----

type colour int8

const (
	blue colour = iota
	red
	yellow
	end // from the mall only
)

func (c colour) complement(other colour) colour {
	if c == other {
		return c
	}
	return 3 - c - other
}

type visit struct {
	who    int32
	colour colour
}

func mall(visits <-chan visit, told []chan colour, meetings int64) {
	for range meetings {
		a, b := <-visits, <-visits
		told[a.who] <- b.colour
		told[b.who] <- a.colour
	}
	for range told {
		told[(<-visits).who] <- end
	}
}

func creature(self int32, c colour, begin <-chan struct{}, visits chan<- visit, told <-chan colour, results chan<- int64) {
	<-begin
	for meetings := int64(0); ; meetings++ {
		visits <- visit{self, c}
		other := <-told
		if other == end {
			results <- meetings
			return
		}
		c = c.complement(other)
	}
}

func chameneos(creatures, meetings int64) *sample {
	s := newSample(creatures, meetings)
	s.expected = 2 * meetings
	begin, visits := make(chan struct{}), make(chan visit, room(0, creatures))
	told := makeChannels[colour](creatures, room(0, 1))
	go mall(visits, told, meetings)
	for i, t := range told {
		go creature(int32(i), colour(i%3), begin, visits, t, s.results)
	}
	s.start = func() {
		for range creatures {
			begin <- struct{}{}
		}
	}
	return s
}

// ---- message_ubench: balls forwarded at random ----

func pinger(in <-chan int64, all []chan int64, results chan<- int64, hops int64, r random) {
	for left := range in {
		if left == 0 {
			results <- hops
		} else {
			all[r.below(len(all))] <- left - 1
		}
	}
}

func messageUbench(pingers, balls, messages, seed int64) *sample {
	hops := messages / (pingers * balls)
	s := newSample(pingers*balls, hops*pingers*balls)
	all := makeChannels[int64](pingers, pingers*balls) // all balls may meet
	for i, in := range all {
		go pinger(in, all, s.results, hops, random(seed+int64(i)))
	}
	s.start = func() {
		for range balls {
			for _, c := range all {
				c <- hops
			}
		}
	}
	s.stop = func() { closeAll(all) }
	return s
}

// ---- spawn_stop: lives of one message ----

func child(message <-chan int64, mother chan<- int64) {
	mother <- <-message
}

func mother(begin <-chan int64, results chan<- int64, lives int64) {
	alive := min(<-begin, lives)
	ended := make(chan int64, room(0, alive))
	spawn := func(n int64) {
		message := make(chan int64, room(0, 1))
		go child(message, ended)
		message <- n
	}
	for n := range alive {
		spawn(n)
	}
	count := int64(0)
	for begun := alive; count < lives; count++ {
		<-ended
		if begun < lives {
			spawn(begun)
			begun++
		}
	}
	results <- count
}

func spawnStop(lives, alive int64) *sample {
	s := newSample(1, lives)
	begin := make(chan int64)
	go mother(begin, s.results, lives)
	s.start = func() { begin <- alive }
	return s
}

// ---- tree, skynet: nodes add up what their children send ----

func fib(parent chan<- int64, n int64) {
	if n <= 2 {
		parent <- 1
		return
	}
	children := make(chan int64, room(0, 2))
	go fib(children, n-1)
	go fib(children, n-2)
	parent <- <-children + <-children
}

func sky(parent chan<- int64, first, leaves int64) {
	if leaves == 1 {
		parent <- first
		return
	}
	children := make(chan int64, room(0, 10))
	for i := range int64(10) {
		go sky(children, first+i*(leaves/10), leaves/10)
	}
	sum := int64(0)
	for range 10 {
		sum += <-children
	}
	parent <- sum
}

func tree(n int64) *sample {
	a, b := int64(0), int64(1)
	for range n - 1 {
		a, b = b, a+b
	}
	s := newSample(1, 2*b-1)
	s.expected = b
	s.start = func() { go fib(s.results, n) }
	return s
}

func skynet(leaves int64) *sample {
	actors := int64(0)
	for n := leaves; n > 0; n /= 10 {
		actors += n
	}
	s := newSample(1, actors)
	s.expected = leaves * (leaves - 1) / 2
	s.start = func() { go sky(s.results, 0, leaves) }
	return s
}

// ---- idle: what a goroutine with its channel costs ----

func idler(in <-chan int64, done *sync.WaitGroup) {
	var sum, messages int64
	for n := range in {
		sum += n
		messages++
		done.Done()
	}
	if messages != 1 {
		panic(fmt.Sprint("an idle goroutine has had ", messages, " messages, the sum ", sum))
	}
}

// resident is in bytes, after a collection that returns what is free.
func resident() int64 {
	debug.FreeOSMemory()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	if err != nil {
		panic(err)
	}
	return pages * int64(os.Getpagesize())
}

func idle(actors int64) *sample {
	s := newSample(1, actors)
	before := resident()
	var channels []chan int64
	s.start = func() {
		var done sync.WaitGroup
		done.Add(int(actors))
		channels = makeChannels[int64](actors, 0)
		for n, c := range channels {
			go idler(c, &done)
			c <- int64(n)
		}
		go func() {
			done.Wait()
			s.results <- actors
		}()
	}
	s.more = func() string {
		time.Sleep(time.Second)
		return fmt.Sprintf(`, "rss": %d`, resident()-before)
	}
	s.stop = func() { closeAll(channels) }
	return s
}

// ---- ask ----

type question struct {
	n     int64
	reply chan<- int64
}

func answerer(questions <-chan question) {
	for q := range questions {
		q.reply <- q.n
	}
}

func asker(begin <-chan struct{}, questions chan<- question, results chan<- int64, asks, window int64) {
	<-begin
	reply := make(chan int64, window)
	asked := min(window, asks)
	for n := range asked {
		questions <- question{n, reply}
	}
	answered := int64(0)
	for ; answered < asks; answered++ {
		<-reply
		if asked < asks {
			questions <- question{asked, reply}
			asked++
		}
	}
	results <- answered
	close(questions)
}

func ask(asks, window int64) *sample {
	s := newSample(1, asks)
	begin, questions := make(chan struct{}), make(chan question, room(0, window))
	go answerer(questions)
	go asker(begin, questions, s.results, asks, window)
	s.start = func() { begin <- struct{}{} }
	return s
}

// ---- paced_inside: sent at fixed times, whatever becomes of them ----

var epoch = time.Now()

func pacedReceiver(due <-chan time.Duration, latencies []time.Duration, results chan<- int64) {
	for i := range latencies {
		d := <-due
		latencies[i] = time.Since(epoch) - d
	}
	results <- int64(len(latencies))
}

func percentiles(all []time.Duration) string {
	slices.SortFunc(all, cmp.Compare)
	at := func(p float64) int64 { return int64(all[int(math.Ceil(p*float64(len(all))))-1]) }
	return fmt.Sprintf(`, "latency_ns": {"p50": %d, "p90": %d, "p99": %d, "p999": %d, "max": %d}`,
		at(0.5), at(0.9), at(0.99), at(0.999), at(1))
}

// The sender is a goroutine like the others: between its looks at the clock it lets them run.
func pacedInside(period, actors, messages int64) *sample {
	s := newSample(actors, messages)
	latencies := make([]time.Duration, messages)
	receivers := makeChannels[time.Duration](actors, 1024)
	rest := latencies
	for i, c := range receivers {
		share := (messages + actors - 1 - int64(i)) / actors
		go pacedReceiver(c, rest[:share], s.results)
		rest = rest[share:]
	}
	s.start = func() {
		due := time.Since(epoch)
		for sent := int64(0); sent < messages; runtime.Gosched() {
			for now := time.Since(epoch); sent < messages && due <= now; sent++ {
				receivers[sent%actors] <- due
				due += time.Duration(period)
			}
		}
	}
	s.more = func() string { return percentiles(latencies) }
	return s
}

// ---- their names, parameters and limits ----

func require(condition bool, message string) error {
	if condition {
		return nil
	}
	return errors.New(message)
}

var workloads = []workload{
	{"ping_pong", "hops=2000000", nil,
		func(p params) *sample { return ring(2, 1, p["hops"]) }},
	{"one_way", "messages=1000000,window=100",
		func(p params) error { return require(p["messages"] >= p["window"], "messages is at least a window") },
		func(p params) *sample { return fanIn(1, p["messages"], p["window"]) }},
	{"thread_ring", "actors=100,tokens=1,hops=2000000",
		func(p params) error { return require(p["hops"] >= p["tokens"], "hops is at least one a token") },
		func(p params) *sample { return ring(p["actors"], p["tokens"], p["hops"]/p["tokens"]) }},
	{"fan_in", "producers=60,messages=1000000,window=1000",
		func(p params) error {
			return require(share(p["messages"], p["producers"], p["window"]) > 0,
				"messages is at least a window a producer")
		},
		func(p params) *sample { return fanIn(p["producers"], p["messages"], p["window"]) }},
	{"pairs", "pairs=4,messages=400000,window=50",
		func(p params) error {
			return require(p["window"] > 0 && share(p["messages"], p["pairs"]*2, p["window"]) > 0,
				"messages is at least a window there and back a pair, and window at least 1")
		},
		func(p params) *sample { return pairs(p["pairs"], p["messages"], p["window"]) }},
	{"big", "actors=120,pings=5000,seed=1",
		func(p params) error { return require(p["actors"] >= 2, "actors is at least 2") },
		func(p params) *sample { return big(p["actors"], p["pings"], p["seed"]) }},
	{"chameneos", "creatures=100,meetings=100000",
		func(p params) error { return require(p["creatures"] >= 2, "creatures is at least 2") },
		func(p params) *sample { return chameneos(p["creatures"], p["meetings"]) }},
	{"message_ubench", "pingers=8,balls=5,messages=2000000,seed=1",
		func(p params) error {
			return require(p["messages"] >= p["pingers"]*p["balls"], "messages is at least one a ball")
		},
		func(p params) *sample { return messageUbench(p["pingers"], p["balls"], p["messages"], p["seed"]) }},
	{"spawn_stop", "lives=300000,alive=1000", nil,
		func(p params) *sample { return spawnStop(p["lives"], p["alive"]) }},
	{"tree", "n=25",
		func(p params) error { return require(p["n"] <= 40, "n is at most 40") },
		func(p params) *sample { return tree(p["n"]) }},
	{"skynet", "leaves=1000000",
		func(p params) error {
			return require(strings.Trim(strconv.FormatInt(p["leaves"], 10), "0") == "1", "leaves is a power of ten")
		},
		func(p params) *sample { return skynet(p["leaves"]) }},
	{"idle", "actors=1000000", nil,
		func(p params) *sample { return idle(p["actors"]) }},
	{"ask", "asks=500000,window=1",
		func(p params) error { return require(p["window"] > 0, "window is at least 1") },
		func(p params) *sample { return ask(p["asks"], p["window"]) }},
	{"paced_inside", "period_ns=10000,actors=64,messages=300000",
		func(p params) error {
			return require(p["period_ns"] > 0 && p["messages"] >= p["actors"], "each actor has at least one message")
		},
		func(p params) *sample { return pacedInside(p["period_ns"], p["actors"], p["messages"]) }},
}

// lacks tells why a workload cannot be expressed.
var lacks = map[string]string{
	"paced_outside": "Go code runs in goroutines only, GOMAXPROCS of them at a time",
}

func find(name string) (workload, bool) {
	for _, w := range workloads {
		if w.name == name {
			return w, true
		}
	}
	return workload{}, false
}
