// SPDX-License-Identifier: BSD-2-Clause
// The contract of bench/peers/README.md: arguments, samples, output.  The actors are in workloads.pony.
use "collections"

class val Run
  """What the arguments ask for."""
  let workload: Workload
  let params: Params
  let settings: String
  let workers: U64
  let step: Bool
  let samples: U64
  let warmup_ns: U64

  new val create(
    workload': Workload, params': Params, settings': String, workers': U64, step': Bool, samples': U64, warmup_ns': U64)
  =>
    workload = workload'
    params = params'
    settings = settings'
    workers = workers'
    step = step'
    samples = samples'
    warmup_ns = warmup_ns'

class val Misuse
  let why: String

  new val create(why': String) =>
    why = why'

class val Unsupported
  let why: String

  new val create(why': String) =>
    why = why'

class ref Arguments
  """Parsed as far as they are right; the first mistake ends it."""
  let _words: Iterator[String]
  let _said: Map[String, String] = Map[String, String]

  new ref create(args: Array[String] val) =>
    _words = args.slice(1).values()

  fun ref run(): (Run | Misuse | Unsupported) =>
    for word in _words do
      match word
      | "--step" | "--json" => _said(word) = ""
      | "--workload" | "--params" | "--workers" | "--samples" | "--warmup" | "--settings" =>
        try _said(word) = _words.next()? else return Misuse(word + " takes a value") end
      else
        return Misuse("unknown argument " + word)
      end
    end
    let name = _said.get_or_else("--workload", "")
    match Lacks(name) | let why: String => return Unsupported(why) end
    let workload = try Workloads(name)? else return Misuse("unknown workload '" + name + "'; --list shows them") end
    let settings = _said.get_or_else("--settings", "default")
    if (settings != "default") and (settings != "tuned") then
      return Misuse("--settings is tuned or default, not '" + settings + "'")
    end
    try
      let params = match ParseParams(workload.defaults(), _said.get_or_else("--params", ""))
      | let p: Params => p
      | let m: Misuse => return m
      end
      match workload.wrong(params) | let why: String => return Misuse(why) end
      let warmup = _said.get_or_else("--warmup", "0").f64()?
      if not ((warmup >= 0) and (warmup <= 3600)) then error end
      Run(workload, params, settings, _number("--workers")?, _said.contains("--step"), _number("--samples")?, (warmup * 1e9).u64())
    else
      Misuse("--workers and --samples are numbers from 1, --warmup is seconds up to 3600")
    end

  fun _number(name: String): U64 ? =>
    let n = _said.get_or_else(name, "1").u64()?
    if n == 0 then error end
    n

class val Params
  """The parameters of a workload, by name: its defaults, and what was given instead."""
  let _values: Map[String, U64] val

  new val create(values: Map[String, U64] val) =>
    _values = values

  fun val apply(name: String): U64 =>
    _values.get_or_else(name, 0)

primitive ParseParams
  fun apply(defaults: String, given: String): (Params | Misuse) =>
    let values = recover trn Map[String, U64] end
    for (name, value) in _pairs(defaults).values() do
      try values(name) = value.u64()? end
    end
    for (name, value) in _pairs(given).values() do
      try
        if not values.contains(name) then error end
        values(name) = value.u64()?
      else
        return Misuse("'" + name + "=" + value + "' is no parameter with a number; this workload has " + defaults)
      end
    end
    Params(consume values)

  fun _pairs(text: String): Array[(String, String)] =>
    let found = Array[(String, String)]
    for part in text.split(",").values() do
      let kv = part.split("=", 2)
      if part != "" then
        found.push((try kv(0)? else "" end, try kv(1)? else "" end))
      end
    end
    found

actor Main
  new create(env: Env) =>
    if (env.args.size() == 2) and (try env.args(1)? == "--list" else false end) then
      for workload in Workloads.all().values() do
        env.out.print(workload.name())
      end
    else
      match Arguments(env.args).run()
      | let run: Run => Driver(env, run).begin()
      | let misuse: Misuse =>
        env.err.print("pony: " + misuse.why)
        env.exitcode(2)
      | let lacking: Unsupported =>
        env.out.print("{\"unsupported\": \"" + lacking.why + "\"}")
        env.exitcode(3)
      end
    end
