// SPDX-License-Identifier: BSD-2-Clause
// What stands in for the driving thread: an actor that takes one sample after the other.
use "collections"
use "files"
use "time"
use @clock_gettime[I32](clock: U32, ts: Pointer[(I64, I64)])
use @pony_ctx[Pointer[None]]()
use @pony_triggergc[None](ctx: Pointer[None])

primitive ProcessCpu
  """CPU time of the whole process."""
  fun nanos(): U64 =>
    var ts: (I64, I64) = (0, 0)
    @clock_gettime(2, addressof ts)
    (ts._1.u64() * 1_000_000_000) + ts._2.u64()

class val Job
  """One sample's work: its actors are there, but may not know each other yet."""
  let operations: U64
  let expected: U64
  """What the reports add up to."""
  let reports: U64
  let acquainted: U64
  """How many actors say ready() before the clock runs."""
  let start: {()} val
  """The first sends."""

  new val create(operations': U64, expected': U64, reports': U64, start': {()} val, acquainted': U64 = 0) =>
    operations = operations'
    expected = expected'
    reports = reports'
    acquainted = acquainted'
    start = start'

actor Driver
  let _env: Env
  let _run: Run
  let _warm: U64
  var _warming: Bool
  var _wanted: U64 = 0
  var _taken: U64 = 0
  var _busy: Bool = false
  var _job: (Job | None) = None
  var _missing: U64 = 0
  var _strangers: U64 = 0
  var _sum: U64 = 0
  var _began: U64 = 0
  var _cpu: U64 = 0
  var _resident: U64 = 0
  var _latency: (Array[U64] iso | None) = None

  new create(env: Env, run: Run) =>
    _env = env
    _run = run
    _warm = Time.nanos() + run.warmup_ns
    _warming = (run.warmup_ns > 0) and (run.workload.name() != "idle")

  be begin() =>
    if _warming then _sample() else _introduce() end

  fun ref _introduce() =>
    _env.out.print(
      "{\"peer\": \"pony\", \"version\": \"" + Built.version() + "\", \"runtime\": \"" + Built.runtime() + "\", \"settings\": \""
        + _run.settings + "\", \"workers\": " + _run.workers.string() + "}")
    _env.out.flush()
    if _run.step then
      _env.input(recover Steps(this) end, 64)
    else
      _wanted = _run.samples
      _next()
    end

  be step() =>
    _wanted = _wanted + 1
    _next()

  fun ref _next() =>
    if (not _busy) and (_taken < _wanted) then _sample() end

  fun ref _sample() =>
    _busy = true
    _sum = 0
    if _run.workload.name() == "idle" then _resident = Resident(_env) end
    let job = _run.workload(_run.params, this)
    _job = job
    _missing = job.reports
    _strangers = job.acquainted
    if _strangers == 0 then _go(job) end

  be ready() =>
    """An actor has been told whom it needs to know."""
    _strangers = _strangers - 1
    if _strangers == 0 then
      match _job | let job: Job => _go(job) end
    end

  fun ref _go(job: Job) =>
    _cpu = ProcessCpu.nanos()
    _began = Time.nanos()
    job.start()

  be latencies(ns: Array[U64] iso) =>
    """By paced_inside, before its report."""
    _latency = consume ns

  be report(value: U64) =>
    _sum = _sum + value
    _missing = _missing - 1
    if _missing == 0 then
      let ns = Time.nanos() - _began
      let cpu = ProcessCpu.nanos() - _cpu
      match _job | let job: Job => _end(job, ns, cpu) end
    end

  fun ref _end(job: Job, ns: U64, cpu: U64) =>
    if _sum != job.expected then
      _env.err.print("pony: " + _run.workload.name() + ": the result is " + _sum.string() + ", not " + job.expected.string())
      _env.exitcode(1)
      _env.input.dispose()
      return
    end
    let line = recover val
      "{\"ns\": " + ns.string() + ", \"operations\": " + job.operations.string() + ", \"cpu_ns\": " + cpu.string()
    end
    if _run.workload.name() == "idle" then
      // of this actor's heap, when it has nothing to do; the runtime does the same with every other that has nothing to do
      @pony_triggergc(@pony_ctx())
      let timers = Timers
      timers(Timer(Rest(this, line), 1_000_000_000))
    else
      _print(line + _percentiles())
    end

  be rested(line: String) =>
    let grown = Resident(_env).i64() - _resident.i64()
    _print(line + ", \"rss\": " + grown.max(0).string())

  fun ref _print(line: String) =>
    _busy = false
    _job = None
    if _warming then
      _warming = Time.nanos() < _warm
      begin()
    else
      _taken = _taken + 1
      _env.out.print(line + "}")
      _env.out.flush()
      _next()
    end

  fun ref _percentiles(): String =>
    match _latency = None
    | let ns: Array[U64] iso =>
      let sorted = Sorted(consume ns)
      let at = {(q: F64): String => try sorted((q * (sorted.size() - 1).f64()).usize())?.string() else "0" end }
      ", \"latency_ns\": {\"p50\": " + at(0.5) + ", \"p90\": " + at(0.9) + ", \"p99\": " + at(0.99) + ", \"p999\": " + at(0.999)
        + ", \"max\": " + at(1) + "}"
    else
      ""
    end

primitive Sorted
  fun apply(ns: Array[U64] iso): Array[U64] val =>
    recover val Sort[Array[U64], U64](consume ns) end

class iso Rest is TimerNotify
  """The pause before memory is looked at."""
  let _driver: Driver
  let _line: String

  new iso create(driver: Driver, line: String) =>
    _driver = driver
    _line = line

  fun ref apply(timer: Timer, count: U64): Bool =>
    _driver.rested(_line)
    false

class Steps is InputNotify
  """Each line asks for a sample."""
  let _driver: Driver

  new create(driver: Driver) =>
    _driver = driver

  fun ref apply(data: Array[U8] iso) =>
    for byte in (consume data).values() do
      if byte == '\n' then _driver.step() end
    end

primitive Resident
  """Resident bytes of the process."""
  fun apply(env: Env): U64 =>
    try
      let file = OpenFile(FilePath(FileAuth(env.root), "/proc/self/statm")) as File
      let words = file.read_string(256).split(" ")
      file.dispose()
      words(1)?.u64()? * 4096
    else
      0
    end
