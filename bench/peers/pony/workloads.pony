// SPDX-License-Identifier: BSD-2-Clause
// The workloads: actors with behaviours, one sample's worth made at a time by a function of each workload.
use "collections"
use "time"

interface val Workload
  fun name(): String
  fun defaults(): String
  fun wrong(p: Params): (String | None) => None
    """Why these parameters make no sense."""
  fun apply(p: Params, driver: Driver): Job
    """Make the actors."""

primitive Workloads
  fun all(): Array[Workload] =>
    [ PingPong; OneWay; ThreadRing; FanIn; Pairs; BigWorkload; Chameneos; MessageUbench; SpawnStop; Tree; Skynet; Idle; AskWorkload
      PacedInside ]

  fun apply(name: String): Workload ? =>
    for w in all().values() do
      if w.name() == name then return w end
    end
    error

primitive Lacks
  """Why a workload cannot be expressed."""
  fun apply(name: String): (String | None) =>
    if name == "paced_outside" then "Pony code runs in actors only, all of them on the scheduler threads" end

primitive Window
  """0 is one that holds all."""
  fun apply(p: Params, all: U64): U64 =>
    if p("window") == 0 then all.max(1) else p("window") end

class Random
  """xorshift64*, as all peers draw."""
  var _x: U64

  new ref create(seed: U64) =>
    _x = seed

  fun ref below(n: U64): U64 =>
    _x = _x xor (_x >> 12)
    _x = _x xor (_x << 25)
    _x = _x xor (_x >> 27)
    (_x * 0x2545F4914F6CDD1D) % n

// ---- ping_pong ----

primitive PingPong is Workload
  fun name(): String => "ping_pong"
  fun defaults(): String => "hops=2000000"
  fun wrong(p: Params): (String | None) => if p("hops") == 0 then "hops is at least 1" end

  fun apply(p: Params, driver: Driver): Job =>
    let hops = p("hops")
    let first = Player(driver)
    let second = Player(driver)
    first.meet(second)
    second.meet(first)
    Job(hops, (hops + 1) / 2, 1, {() => first.ball(hops - 1) }, 2)

actor Player
  let _driver: Driver
  var _other: (Player | None) = None
  var _had: U64 = 0

  new create(driver: Driver) =>
    _driver = driver

  be meet(other: Player) =>
    _other = other
    _driver.ready()

  be ball(hops: U64) =>
    _had = _had + 1
    if hops == 0 then
      _driver.report(_had)
    else
      match _other | let other: Player => other.ball(hops - 1) end
    end

// ---- one_way ----

primitive OneWay is Workload
  fun name(): String => "one_way"
  fun defaults(): String => "messages=1000000,window=100"
  fun wrong(p: Params): (String | None) =>
    if p("messages") < Window(p, p("messages")) then "there are fewer messages than a window has" end

  fun apply(p: Params, driver: Driver): Job =>
    let window = Window(p, p("messages"))
    let messages = (p("messages") / window) * window
    let producer = Producer(driver, window)
    producer.meet(Counter(driver, producer, messages, window))
    Job(messages, (messages * (messages - 1)) / 2, 1, {() => producer.credit() }, 1)

actor Producer
  let _driver: Driver
  let _window: U64
  var _counter: (Counter | None) = None
  var _sent: U64 = 0

  new create(driver: Driver, window: U64) =>
    _driver = driver
    _window = window

  be meet(counter: Counter) =>
    _counter = counter
    _driver.ready()

  be credit() =>
    match _counter
    | let counter: Counter =>
      let end' = _sent + _window
      while _sent < end' do
        counter.count(_sent)
        _sent = _sent + 1
      end
    end

actor Counter
  let _driver: Driver
  let _producer: Producer
  let _messages: U64
  let _window: U64
  var _had: U64 = 0
  var _sum: U64 = 0

  new create(driver: Driver, producer: Producer, messages: U64, window: U64) =>
    _driver = driver
    _producer = producer
    _messages = messages
    _window = window

  be count(n: U64) =>
    _had = _had + 1
    _sum = _sum + n
    if _had == _messages then
      _driver.report(_sum)
    elseif (_had % _window) == 0 then
      _producer.credit()
    end

// ---- thread_ring ----

primitive ThreadRing is Workload
  fun name(): String => "thread_ring"
  fun defaults(): String => "actors=100,tokens=1,hops=2000000"
  fun wrong(p: Params): (String | None) =>
    if (p("actors") == 0) or (p("tokens") == 0) or (p("hops") < p("tokens")) then
      "there is at least an actor, a token, and a hop for each token"
    end

  fun apply(p: Params, driver: Driver): Job =>
    (let actors, let tokens) = (p("actors"), p("tokens"))
    let each = p("hops") / tokens
    let first = Link(driver)
    var last = first
    let starts = recover trn [first] end
    for i in Range[U64](1, actors) do
      let next = Link(driver)
      last.meet(next)
      last = next
      starts.push(next)
    end
    last.meet(first)
    let ring: Array[Link] val = consume starts
    Job(tokens * each, tokens, tokens,
      {() =>
        for t in Range[U64](0, tokens) do
          try ring(((t * actors) / tokens).usize())?.ball(each - 1) end
        end
      },
      actors)

actor Link
  let _driver: Driver
  var _next: (Link | None) = None

  new create(driver: Driver) =>
    _driver = driver

  be meet(next: Link) =>
    _next = next
    _driver.ready()

  be ball(hops: U64) =>
    if hops == 0 then
      _driver.report(1)
    else
      match _next | let next: Link => next.ball(hops - 1) end
    end

// ---- fan_in ----

primitive FanIn is Workload
  fun name(): String => "fan_in"
  fun defaults(): String => "producers=60,messages=1000000,window=1000"
  fun wrong(p: Params): (String | None) =>
    if (p("producers") == 0) or ((p("messages") / p("producers").max(1)) < Window(p, 1)) then
      "each producer has at least a window of messages"
    end

  fun apply(p: Params, driver: Driver): Job =>
    let producers = p("producers")
    let window = Window(p, p("messages") / producers)
    let each = (p("messages") / producers / window) * window
    let counter = FanCounter(driver, each, window)
    let made = recover trn Array[Feeder] end
    for own in Range(0, producers.usize()) do
      made.push(Feeder(counter, own, window))
    end
    let feeders: Array[Feeder] val = consume made
    counter.meet(feeders)
    Job(producers * each, producers * each, 1, {() => for f in feeders.values() do f.credit() end }, 1)

actor Feeder
  let _counter: FanCounter
  let _own: USize
  let _window: U64

  new create(counter: FanCounter, own: USize, window: U64) =>
    _counter = counter
    _own = own
    _window = window

  be credit() =>
    for i in Range[U64](0, _window) do
      _counter.count(_own)
    end

actor FanCounter
  let _driver: Driver
  let _each: U64
  let _window: U64
  var _feeders: Array[Feeder] val = []
  var _had: Array[U64] = []
  var _all: U64 = 0

  new create(driver: Driver, each: U64, window: U64) =>
    _driver = driver
    _each = each
    _window = window

  be meet(feeders: Array[Feeder] val) =>
    _feeders = feeders
    _had = Array[U64].init(0, feeders.size())
    _driver.ready()

  be count(from: USize) =>
    try
      let had = _had(from)? + 1
      _had(from)? = had
      _all = _all + 1
      if _all == (_each * _had.size().u64()) then
        _driver.report(_all)
      elseif ((had % _window) == 0) and (had < _each) then
        _feeders(from)?.credit()
      end
    end

// ---- pairs ----

primitive Pairs is Workload
  fun name(): String => "pairs"
  fun defaults(): String => "pairs=4,messages=400000,window=50"
  fun wrong(p: Params): (String | None) =>
    if (p("pairs") == 0) or (p("window") == 0) or ((p("messages") / 2 / p("pairs").max(1)) < p("window")) then
      "each side of a pair has at least a window of messages"
    end

  fun apply(p: Params, driver: Driver): Job =>
    (let pairs, let window) = (p("pairs"), p("window"))
    let each = (p("messages") / pairs / 2 / window) * window
    let made = recover trn Array[First] end
    for i in Range[U64](0, pairs) do
      let first = First(driver, each, window)
      first.meet(Second(first))
      made.push(first)
    end
    let firsts: Array[First] val = consume made
    Job(2 * pairs * each, pairs * each, pairs, {() => for f in firsts.values() do f.go() end }, pairs)

actor First
  let _driver: Driver
  let _each: U64
  let _window: U64
  var _second: (Second | None) = None
  var _answered: U64 = 0

  new create(driver: Driver, each: U64, window: U64) =>
    _driver = driver
    _each = each
    _window = window

  be meet(second: Second) =>
    _second = second
    _driver.ready()

  be go() =>
    _send_window()

  fun ref _send_window() =>
    match _second
    | let second: Second =>
      for n in Range[U64](0, _window) do
        second.question(n)
      end
    end

  be answer(n: U64) =>
    _answered = _answered + 1
    if _answered == _each then
      _driver.report(_answered)
    elseif (_answered % _window) == 0 then
      _send_window()
    end

actor Second
  let _first: First

  new create(first: First) =>
    _first = first

  be question(n: U64) =>
    _first.answer(n)

// ---- big ----

primitive BigWorkload is Workload
  fun name(): String => "big"
  fun defaults(): String => "actors=120,pings=5000,seed=1"
  fun wrong(p: Params): (String | None) =>
    if (p("actors") < 2) or (p("pings") == 0) or (p("seed") == 0) then "actors are at least 2, pings and seed at least 1" end

  fun apply(p: Params, driver: Driver): Job =>
    (let actors, let pings) = (p("actors"), p("pings"))
    let made = recover trn Array[Big] end
    for own in Range[U64](0, actors) do
      made.push(Big(driver, own, pings, p("seed") + own))
    end
    let all: Array[Big] val = consume made
    for a in all.values() do a.meet(all) end
    Job(2 * actors * pings, actors * pings, actors, {() => for a in all.values() do a.go() end }, actors)

actor Big
  let _driver: Driver
  let _own: U64
  let _pings: U64
  let _random: Random
  var _all: Array[Big] val = []
  var _pongs: U64 = 0

  new create(driver: Driver, own: U64, pings: U64, seed: U64) =>
    _driver = driver
    _own = own
    _pings = pings
    _random = Random(seed)

  be meet(all: Array[Big] val) =>
    _all = all
    _driver.ready()

  be go() =>
    _ping()

  fun ref _ping() =>
    let drawn = _random.below(_all.size().u64() - 1)
    try _all((if drawn >= _own then drawn + 1 else drawn end).usize())?.ping(_own) end

  be ping(from: U64) =>
    try _all(from.usize())?.pong() end

  be pong() =>
    _pongs = _pongs + 1
    if _pongs < _pings then _ping() else _driver.report(_pongs) end

// ---- chameneos ----

primitive Blue
primitive Red
primitive Yellow
type Colour is (Blue | Red | Yellow)

primitive Complement
  fun apply(own: Colour, other: Colour): Colour =>
    if own is other then own
    elseif (own isnt Blue) and (other isnt Blue) then Blue
    elseif (own isnt Red) and (other isnt Red) then Red
    else Yellow
    end

primitive Chameneos is Workload
  fun name(): String => "chameneos"
  fun defaults(): String => "creatures=100,meetings=100000"
  fun wrong(p: Params): (String | None) =>
    if (p("creatures") < 2) or (p("meetings") == 0) then "there are at least two creatures and a meeting" end

  fun apply(p: Params, driver: Driver): Job =>
    (let creatures, let meetings) = (p("creatures"), p("meetings"))
    let mall = Mall(driver, creatures, meetings)
    let made = recover trn Array[Creature] end
    for own in Range[U64](0, creatures) do
      made.push(Creature(mall, match own % 3 | 0 => Blue | 1 => Red else Yellow end))
    end
    let all: Array[Creature] val = consume made
    Job(meetings, 2 * meetings, 1, {() => for c in all.values() do c.go() end })

actor Mall
  let _driver: Driver
  let _creatures: U64
  var _left: U64
  var _waiting: (Creature | None) = None
  var _colour: Colour = Blue
  var _counted: U64 = 0
  var _sum: U64 = 0

  new create(driver: Driver, creatures: U64, meetings: U64) =>
    _driver = driver
    _creatures = creatures
    _left = meetings

  be ask(who: Creature, colour: Colour) =>
    if _left == 0 then
      who.closed()
    else
      match _waiting = None
      | let other: Creature =>
        _left = _left - 1
        other.met(colour)
        who.met(_colour)
      else
        _waiting = who
        _colour = colour
      end
    end

  be count(met: U64) =>
    _sum = _sum + met
    _counted = _counted + 1
    if _counted == _creatures then _driver.report(_sum) end

actor Creature
  let _mall: Mall
  var _colour: Colour
  var _met: U64 = 0

  new create(mall: Mall, colour: Colour) =>
    _mall = mall
    _colour = colour

  be go() =>
    _mall.ask(this, _colour)

  be met(other: Colour) =>
    _met = _met + 1
    _colour = Complement(_colour, other)
    _mall.ask(this, _colour)

  be closed() =>
    _mall.count(_met)

// ---- message_ubench ----

primitive MessageUbench is Workload
  fun name(): String => "message_ubench"
  fun defaults(): String => "pingers=8,balls=5,messages=2000000,seed=1"
  fun wrong(p: Params): (String | None) =>
    let balls = p("pingers") * p("balls")
    if (balls == 0) or (p("messages") < balls) or (p("seed") == 0) then "there is a pinger, a message for each ball, and a seed from 1" end

  fun apply(p: Params, driver: Driver): Job =>
    let pingers = p("pingers")
    let balls = pingers * p("balls")
    let each = p("messages") / balls
    let made = recover trn Array[Pinger] end
    for own in Range[U64](0, pingers) do
      made.push(Pinger(driver, p("seed") + own))
    end
    let all: Array[Pinger] val = consume made
    for a in all.values() do a.meet(all) end
    Job(balls * each, balls, balls,
      {() =>
        for ball in Range[U64](0, balls) do
          try all((ball % pingers).usize())?.ball(each - 1) end
        end
      },
      pingers)

actor Pinger
  let _driver: Driver
  let _random: Random
  var _all: Array[Pinger] val = []

  new create(driver: Driver, seed: U64) =>
    _driver = driver
    _random = Random(seed)

  be meet(all: Array[Pinger] val) =>
    _all = all
    _driver.ready()

  be ball(hops: U64) =>
    if hops == 0 then
      _driver.report(1)
    else
      try _all(_random.below(_all.size().u64()).usize())?.ball(hops - 1) end
    end

// ---- spawn_stop: an actor that nobody knows any more ends ----

primitive SpawnStop is Workload
  fun name(): String => "spawn_stop"
  fun defaults(): String => "lives=300000,alive=1000"
  fun wrong(p: Params): (String | None) =>
    if (p("lives") == 0) or (p("alive") == 0) then "lives and alive are at least 1" end

  fun apply(p: Params, driver: Driver): Job =>
    (let lives, let alive) = (p("lives"), p("alive").min(p("lives")))
    let mother = Mother(driver, lives)
    Job(lives, lives, 1, {() => mother.go(alive) })

actor Mother
  let _driver: Driver
  let _lives: U64
  var _begun: U64 = 0
  var _ended: U64 = 0

  new create(driver: Driver, lives: U64) =>
    _driver = driver
    _lives = lives

  be go(alive: U64) =>
    for i in Range[U64](0, alive) do
      _begin()
    end

  fun ref _begin() =>
    _begun = _begun + 1
    Child(this).count(1)

  be word() =>
    _ended = _ended + 1
    if _begun < _lives then
      _begin()
    elseif _ended == _lives then
      _driver.report(_ended)
    end

actor Child
  let _mother: Mother

  new create(mother: Mother) =>
    _mother = mother

  be count(n: U64) =>
    _mother.word()

// ---- tree, skynet ----

primitive Tree is Workload
  fun name(): String => "tree"
  fun defaults(): String => "n=25"
  fun wrong(p: Params): (String | None) => if (p("n") == 0) or (p("n") > 40) then "n is from 1 to 40" end

  fun apply(p: Params, driver: Driver): Job =>
    (var fib: U64, var after: U64) = (0, 1)
    for i in Range[U64](0, p("n")) do
      (fib, after) = (after, fib + after)
    end
    let n = p("n")
    Job((2 * fib) - 1, fib, 1, {() => Fib(n, driver) })

type Parent is (Driver | Fib | Sky)

primitive Tell
  fun apply(parent: Parent, value: U64) =>
    match \exhaustive\ parent
    | let driver: Driver => driver.report(value)
    | let fib: Fib => fib.value(value)
    | let sky: Sky => sky.value(value)
    end

actor Fib
  let _parent: Parent
  var _sum: U64 = 0
  var _missing: U64 = 2

  new create(n: U64, parent: Parent) =>
    _parent = parent
    if n <= 2 then
      Tell(parent, 1)
    else
      Fib(n - 1, this)
      Fib(n - 2, this)
    end

  be value(n: U64) =>
    _sum = _sum + n
    _missing = _missing - 1
    if _missing == 0 then Tell(_parent, _sum) end

primitive Skynet is Workload
  fun name(): String => "skynet"
  fun defaults(): String => "leaves=1000000"
  fun wrong(p: Params): (String | None) =>
    var n = p("leaves")
    while (n > 1) and ((n % 10) == 0) do n = n / 10 end
    if n != 1 then "leaves is a power of ten" end

  fun apply(p: Params, driver: Driver): Job =>
    let leaves = p("leaves")
    Job(((10 * leaves) - 1) / 9, (leaves * (leaves - 1)) / 2, 1, {() => Sky(0, leaves, driver) })

actor Sky
  let _parent: Parent
  var _sum: U64 = 0
  var _missing: U64 = 10

  new create(first: U64, leaves: U64, parent: Parent) =>
    _parent = parent
    if leaves == 1 then
      Tell(parent, first)
    else
      let share = leaves / 10
      for i in Range[U64](0, 10) do
        Sky(first + (i * share), share, this)
      end
    end

  be value(n: U64) =>
    _sum = _sum + n
    _missing = _missing - 1
    if _missing == 0 then Tell(_parent, _sum) end

// ---- idle ----

primitive Idle is Workload
  fun name(): String => "idle"
  fun defaults(): String => "actors=1000000"
  fun wrong(p: Params): (String | None) => if p("actors") == 0 then "there is at least one actor" end

  fun apply(p: Params, driver: Driver): Job =>
    let actors = p("actors")
    let nursery = Nursery(driver, actors)
    Job(actors, actors, 1, {() => nursery.go() })

actor Nursery
  """Knows all of them: an actor that nobody knows ends."""
  let _driver: Driver
  let _actors: U64
  let _known: Array[Idler]
  var _met: U64 = 0

  new create(driver: Driver, actors: U64) =>
    _driver = driver
    _actors = actors
    _known = Array[Idler](actors.usize())

  be go() =>
    """A thousand at a time, so that they start while others are made."""
    for n in Range[U64](0, (_actors - _known.size().u64()).min(1000)) do
      let idler = Idler(this)
      idler.count(n)
      _known.push(idler)
    end
    if _known.size().u64() < _actors then go() end

  be met() =>
    _met = _met + 1
    if _met == _actors then _driver.report(_met) end

actor Idler
  let _nursery: Nursery
  var _had: U64 = 0
  var _sum: U64 = 0

  new create(nursery: Nursery) =>
    _nursery = nursery

  be count(n: U64) =>
    _had = _had + 1
    _sum = _sum + n
    _nursery.met()

// ---- ask: the way back is in the request ----

primitive AskWorkload is Workload
  fun name(): String => "ask"
  fun defaults(): String => "asks=500000,window=1"
  fun wrong(p: Params): (String | None) => if (p("asks") == 0) or (p("window") == 0) then "asks and window are at least 1" end

  fun apply(p: Params, driver: Driver): Job =>
    (let asks, let window) = (p("asks"), p("window"))
    let asker = Asker(driver, Adder, asks)
    Job(asks, (asks * (asks + 1)) / 2, 1, {() => asker.go(window) })

actor Adder
  be add(n: U64, asker: Asker) =>
    asker.answer(n + 1)

actor Asker
  let _driver: Driver
  let _adder: Adder
  let _asks: U64
  var _asked: U64 = 0
  var _answered: U64 = 0
  var _sum: U64 = 0

  new create(driver: Driver, adder: Adder, asks: U64) =>
    _driver = driver
    _adder = adder
    _asks = asks

  be go(window: U64) =>
    for i in Range[U64](0, window.min(_asks)) do
      _ask()
    end

  fun ref _ask() =>
    _adder.add(_asked, this)
    _asked = _asked + 1

  be answer(n: U64) =>
    _sum = _sum + n
    _answered = _answered + 1
    if _asked < _asks then
      _ask()
    elseif _answered == _asks then
      _driver.report(_sum)
    end

// ---- paced_inside ----

primitive PacedInside is Workload
  fun name(): String => "paced_inside"
  fun defaults(): String => "period_ns=10000,actors=64,messages=300000"
  fun wrong(p: Params): (String | None) =>
    if (p("period_ns") == 0) or (p("actors") == 0) or (p("messages") == 0) then
      "there is an actor, and a message"
    end

  fun apply(p: Params, driver: Driver): Job =>
    let messages = p("messages")
    let log = Log(driver, messages)
    let made = recover trn Array[Paced] end
    for i in Range[U64](0, p("actors")) do
      made.push(Paced(log, messages, p("actors"), i))
    end
    let pacer = Pacer(consume made, messages, p("period_ns"))
    Job(messages, messages, 1, {() => pacer.go() })

actor Pacer
  """Looks at the clock, sends what is due, and lets the others run before it looks again."""
  let _to: Array[Paced] val
  let _messages: U64
  let _period: U64
  var _begin: U64 = 0
  var _sent: U64 = 0

  new create(to: Array[Paced] val, messages: U64, period: U64) =>
    _to = to
    _messages = messages
    _period = period

  be go() =>
    _begin = Time.nanos()
    tick()

  be tick() =>
    let now = Time.nanos()
    while (_sent < _messages) and ((_begin + (_sent * _period)) <= now) do
      try _to((_sent % _to.size().u64()).usize())?.note(_begin + (_sent * _period)) end
      _sent = _sent + 1
    end
    if _sent < _messages then tick() end

actor Paced
  let _log: Log
  let _share: USize
  var _had: Array[U64] iso

  new create(log: Log, messages: U64, actors: U64, own: U64) =>
    _log = log
    _share = ((messages + (actors - 1 - own)) / actors).usize()
    _had = recover Array[U64](_share) end

  be note(due: U64) =>
    _had.push(Time.nanos() - due)
    if _had.size() == _share then
      _log.add(_had = recover Array[U64] end)
    end

actor Log
  """All latencies of a sample."""
  let _driver: Driver
  let _messages: U64
  var _all: Array[U64] iso

  new create(driver: Driver, messages: U64) =>
    _driver = driver
    _messages = messages
    _all = recover Array[U64](messages.usize()) end

  be add(some: Array[U64] iso) =>
    for ns in (consume some).values() do
      _all.push(ns)
    end
    if _all.size().u64() == _messages then
      _driver.latencies(_all = recover Array[U64] end)
      _driver.report(_messages)
    end
