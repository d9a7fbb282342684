// SPDX-License-Identifier: BSD-2-Clause

// The contract of bench/peers/README.md: arguments, samples, output.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// params are a workload's parameters by name.
type params map[string]int64

// parseParams takes the defaults, and what is given instead; window may be 0.
func parseParams(defaults, given string) (params, error) {
	p := params{}
	for _, kv := range strings.Split(defaults, ",") {
		name, value, _ := strings.Cut(kv, "=")
		p[name], _ = strconv.ParseInt(value, 10, 64)
	}
	if given == "" {
		return p, nil
	}
	for _, kv := range strings.Split(given, ",") {
		name, value, _ := strings.Cut(kv, "=")
		if _, known := p[name]; !known {
			return nil, fmt.Errorf("unknown parameter %q; this workload has %s", name, defaults)
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 || n > 1<<40 || n == 0 && name != "window" {
			return nil, fmt.Errorf("%s is a whole number from 1 (a window from 0), not %q", name, value)
		}
		p[name] = n
	}
	return p, nil
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sampleOnce builds the goroutines, times from the first send to the last result, and sees them end.
func sampleOnce(w workload, p params) (string, error) {
	s := w.build(p)
	cpu, begin := cpuTime(), time.Now()
	s.start()
	var counted int64
	for range s.parts {
		counted += <-s.results
	}
	ns, cpuNs := time.Since(begin), cpuTime()-cpu
	if counted != s.expected {
		return "", fmt.Errorf("wrong result: %d instead of %d", counted, s.expected)
	}
	more := ""
	if s.more != nil {
		more = s.more()
	}
	if s.stop != nil {
		s.stop()
	}
	return fmt.Sprintf(`{"ns": %d, "operations": %d, "cpu_ns": %d%s}`, ns, s.operations, cpuNs, more), nil
}

type options struct {
	workload, params, settings string
	workers, samples           int
	warmup                     float64
	step, json, list           bool
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.workload, "workload", "", "what to run; --list shows the names")
	flag.StringVar(&o.params, "params", "", "K=V,...: parameters that are not to have their defaults")
	flag.StringVar(&o.settings, "settings", "default", "tuned or default, see peer.json")
	flag.IntVar(&o.workers, "workers", 1, "GOMAXPROCS")
	flag.IntVar(&o.samples, "samples", 1, "run so many samples and end")
	flag.Float64Var(&o.warmup, "warmup", 0, "seconds of untimed samples before the first")
	flag.BoolVar(&o.step, "step", false, "run a sample for each line of standard input")
	flag.BoolVar(&o.json, "json", false, "JSON, a line a sample; there is no other format")
	flag.BoolVar(&o.list, "list", false, "print the workloads, one a line")
	flag.Parse()
	return o
}

// unsupported is why this program lacks the workload.
type unsupported string

func (u unsupported) Error() string { return string(u) }

func (o options) check() (workload, params, error) {
	w, known := find(o.workload)
	why, lacking := lacks[o.workload]
	switch {
	case flag.NArg() > 0:
		return w, nil, fmt.Errorf("unknown argument %q", flag.Arg(0))
	case lacking:
		return w, nil, unsupported(why)
	case !known:
		return w, nil, fmt.Errorf("unknown workload %q; --list shows them", o.workload)
	case o.settings != "tuned" && o.settings != "default":
		return w, nil, fmt.Errorf("--settings is tuned or default, not %q", o.settings)
	case o.workers < 1 || o.samples < 1 || !(o.warmup >= 0) || math.IsInf(o.warmup, 0):
		return w, nil, errors.New("--workers and --samples are at least 1, --warmup at least 0")
	case !o.json:
		return w, nil, errors.New("the only output is --json")
	}
	p, err := parseParams(w.defaults, o.params)
	if err == nil && w.check != nil {
		err = w.check(p)
	}
	return w, p, err
}

func run(o options, w workload, p params) error {
	runtime.GOMAXPROCS(o.workers)
	if o.settings == "tuned" {
		tuned = true
		debug.SetGCPercent(-1)
		debug.SetMemoryLimit(4 << 30)
	}
	for end := time.Now().Add(time.Duration(o.warmup * 1e9)); w.name != "idle" && time.Now().Before(end); {
		if _, err := sampleOnce(w, p); err != nil {
			return err
		}
	}
	fmt.Printf(`{"peer": "go", "version": "%s", "runtime": "%s/%s", "settings": "%s", "workers": %d}`+"\n",
		strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS, runtime.GOARCH, o.settings, o.workers)
	in := bufio.NewScanner(os.Stdin)
	for i := 0; o.step && in.Scan() || !o.step && i < o.samples; i++ {
		line, err := sampleOnce(w, p)
		if err != nil {
			return err
		}
		fmt.Println(line)
	}
	return in.Err()
}

func main() {
	o := parseFlags()
	if o.list {
		for _, w := range workloads {
			fmt.Println(w.name)
		}
		return
	}
	w, p, err := o.check()
	if why := unsupported(""); errors.As(err, &why) {
		fmt.Printf("{\"unsupported\": %q}\n", string(why))
		os.Exit(3)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "go:", err)
		os.Exit(2)
	}
	if err := run(o, w, p); err != nil {
		fmt.Fprintln(os.Stderr, "go:", err)
		os.Exit(1)
	}
}
