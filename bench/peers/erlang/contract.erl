%% SPDX-License-Identifier: BSD-2-Clause
%% The contract of bench/peers/README.md: arguments, samples, output.  The processes are in workloads.erl.
-module(contract).
-export([start/0]).

%% Runs the program in a process of its own, so that whatever kills it becomes the exit status.
start() ->
    {_, Monitor} = spawn_monitor(fun() -> main(init:get_plain_arguments()) end),
    receive
        {'DOWN', Monitor, process, _, normal} ->
            halt(0);
        {'DOWN', Monitor, process, _, {usage, Message}} ->
            io:format(standard_error, "erlang: ~ts~n", [Message]),
            halt(2);
        {'DOWN', Monitor, process, _, {unsupported, Why}} ->
            io:format("{\"unsupported\": \"~ts\"}~n", [Why]),
            halt(3);
        {'DOWN', Monitor, process, _, Reason} ->
            io:format(standard_error, "erlang: ~tp~n", [Reason]),
            halt(1)
    end.

main(["--list"]) ->
    [io:format("~s~n", [Name]) || {Name, _, _, _} <- workloads:all()];
main(Arguments) ->
    Options = options(Arguments, #{
        "--params" => "", "--settings" => "default", "--workers" => "1", "--samples" => "1", "--warmup" => "0"
    }),
    {Name, Build, Params} = workload(Options),
    Settings = maps:get("--settings", Options),
    lists:member(Settings, ["tuned", "default"]) orelse
        usage("--settings is tuned or default, not ~ts", [Settings]),
    is_map_key("--json", Options) orelse usage("the only output is --json", []),
    Samples = number("--samples", maps:get("--samples", Options), 1),
    Workers = number("--workers", maps:get("--workers", Options), 1),
    Threads = threads(),
    Sample = fun() -> sample(Build(Params#{tuned => Settings =:= "tuned"}), Threads) end,
    warm_up(Name, Sample, seconds(maps:get("--warmup", Options))),
    io:format("{\"peer\": \"erlang\", \"version\": \"~s\", \"runtime\": \"OTP ~s, ERTS ~s, ~s\", "
              "\"settings\": \"~s\", \"workers\": ~b}~n",
              [otp_version(), erlang:system_info(otp_release), erlang:system_info(version),
               erlang:system_info(emu_flavor), Settings, Workers]),
    case is_map_key("--step", Options) of
        true -> step(Sample);
        false -> [io:format("~s~n", [Sample()]) || _ <- lists:seq(1, Samples)]
    end.

otp_version() ->
    File = filename:join([code:root_dir(), "releases", erlang:system_info(otp_release), "OTP_VERSION"]),
    case file:read_file(File) of
        {ok, Version} -> string:trim(Version);
        {error, _} -> erlang:system_info(otp_release)
    end.

warm_up("idle", _, _) ->
    ok;
warm_up(_, Sample, Seconds) ->
    warm_until(Sample, erlang:monotonic_time(millisecond) + round(Seconds * 1000)).

warm_until(Sample, End) ->
    case erlang:monotonic_time(millisecond) < End of
        true -> Sample(), warm_until(Sample, End);
        false -> ok
    end.

step(Sample) ->
    case io:get_line("") of
        eof -> ok;
        {error, Reason} -> exit({standard_input, Reason});
        _ -> io:format("~s~n", [Sample()]), step(Sample)
    end.

%% ---- arguments ----

usage(Format, Arguments) ->
    exit({usage, io_lib:format(Format, Arguments)}).

options([], Options) ->
    Options;
options([Flag | Rest], Options) when Flag =:= "--json"; Flag =:= "--step" ->
    options(Rest, Options#{Flag => true});
options(["--workload", Value | Rest], Options) ->
    options(Rest, Options#{"--workload" => Value});
options([Option, Value | Rest], Options) when is_map_key(Option, Options) ->
    options(Rest, Options#{Option => Value});
options([Unknown | _], Options) ->
    case is_map_key(Unknown, Options) of
        true -> usage("~ts takes a value", [Unknown]);
        false -> usage("unknown argument ~ts", [Unknown])
    end.

workload(Options) ->
    Name = maps:get("--workload", Options, "without a name"),
    Why = workloads:lacks(Name),
    Why =:= none orelse exit({unsupported, Why}),
    case lists:keyfind(Name, 1, workloads:all()) of
        {_, Defaults, Check, Build} ->
            Params = params(Defaults, string:lexemes(maps:get("--params", Options), ",")),
            case Check(Params) of
                ok -> {Name, Build, Params};
                Message -> usage("~ts", [Message])
            end;
        false ->
            usage("unknown workload ~ts; --list shows them", [Name])
    end.

params(Params, []) ->
    Params;
params(Params, [Given | Rest]) ->
    [Name | Value] = string:split(Given, "="),
    case [Key || Key <- maps:keys(Params), atom_to_list(Key) =:= Name] of
        [window] -> params(Params#{window => number(Name, Value, 0)}, Rest);
        [Key] -> params(Params#{Key => number(Name, Value, 1)}, Rest);
        [] -> usage("unknown parameter ~ts; this workload has ~tp", [Name, maps:to_list(Params)])
    end.

number(What, Value, Least) ->
    case string:to_integer(Value) of
        {N, Rest} when is_integer(N), N >= Least, N =< 1 bsl 40, Rest =:= [] orelse Rest =:= [[]] -> N;
        _ -> usage("~ts is a whole number from ~b, not ~ts", [What, Least, Value])
    end.

seconds(Value) ->
    case {string:to_float(Value), string:to_integer(Value)} of
        {{S, ""}, _} when S >= 0 -> S;
        {_, {S, ""}} when is_integer(S), S >= 0 -> S;
        _ -> usage("--warmup is a number of seconds, not ~ts", [Value])
    end.

%% ---- a sample: from the first send to the last result ----

sample(#{start := Start, parts := Parts, expected := Expected, operations := Operations, stop := Stop, more := More}, Threads) ->
    Cpu = cpu_ns(Threads),
    Begin = erlang:monotonic_time(),
    Start(),
    Counted = await(Parts, 0),
    End = erlang:monotonic_time(),
    CpuEnd = cpu_ns(Threads),
    Counted =:= Expected orelse exit({wrong_result, Counted, instead_of, Expected}),
    Further = More(),
    Stop(),
    io_lib:format("{\"ns\": ~b, \"operations\": ~b, \"cpu_ns\": ~b~s}",
                  [erlang:convert_time_unit(End - Begin, native, nanosecond), Operations,
                   CpuEnd - Cpu, Further]).

%% Of the whole process, the kernel's part included, which statistics(runtime) leaves out: the runtime starts all
%% of its threads before this program.
threads() ->
    Names = filelib:wildcard("/proc/self/task/*/schedstat"),
    Names =/= [] orelse exit({missing, "/proc/self/task/*/schedstat"}),
    [begin {ok, F} = file:open(Name, [read, raw, binary]), F end || Name <- Names].

cpu_ns(Threads) ->
    lists:sum([begin
        {ok, Text} = file:pread(F, 0, 64),
        [Ns, _] = binary:split(Text, <<" ">>),
        binary_to_integer(Ns)
    end || F <- Threads]).

await(0, Sum) ->
    Sum;
await(Parts, Sum) ->
    receive
        {part, Counted} -> await(Parts - 1, Sum + Counted)
    end.
