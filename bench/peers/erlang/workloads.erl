%% SPDX-License-Identifier: BSD-2-Clause
%% The workloads of bench/peers/README.md.  Each builds its processes, linked to the driving one, and tells what
%% starts them, how many parts report to the driving process, their sum, the operations, and what ends them.
-module(workloads).
-behaviour(gen_server).
-export([all/0, lacks/1, idler/2]).
-export([init/1, handle_call/3, handle_cast/2]).

sample(Actors, Parts, Operations, Start) ->
    #{start => Start, parts => Parts, expected => Operations, operations => Operations,
      more => fun() -> "" end, stop => fun() -> stop(Actors) end}.

%% Ends the processes that have not ended by themselves, and waits for it.
stop(Actors) ->
    Monitors = [begin M = monitor(process, A), A ! stop, M end || A <- Actors],
    [receive {'DOWN', M, process, _, _} -> ok end || M <- Monitors],
    ok.

spawn_all(Count, Fun) ->
    [spawn_link(fun() -> Fun(I) end) || I <- lists:seq(0, Count - 1)].

send_all(Actors, Message) ->
    lists:foreach(fun(A) -> A ! Message end, Actors).

%% Integers of 64 bits are bignums here; this is the library's fastest generator.
draw(N, State) ->
    Next = rand:mwc59(State),
    {(N * rand:mwc59_value32(Next)) bsr 32, Next}.

%% ---- ping_pong, thread_ring: balls with the hops left go to the next player ----

player(Driver, Hops) ->
    receive
        {next, Next} -> player(Driver, Hops, Next)
    end.

player(Driver, Hops, Next) ->
    receive
        0 -> Driver ! {part, Hops}, player(Driver, Hops, Next);
        Left when is_integer(Left) -> Next ! Left - 1, player(Driver, Hops, Next);
        stop -> ok
    end.

ring(Actors, Tokens, Hops) ->
    Driver = self(),
    [First | Rest] = Players = spawn_all(Actors, fun(_) -> player(Driver, Hops) end),
    [P ! {next, N} || {P, N} <- lists:zip(Players, Rest ++ [First])],
    Tuple = list_to_tuple(Players),
    sample(Players, Tokens, Hops * Tokens, fun() ->
        [element(I rem Actors + 1, Tuple) ! Hops - 1 || I <- lists:seq(0, Tokens - 1)]
    end).

%% ---- one_way, fan_in: a credit back per window, the next window starts with it ----

producer(_, _, 0, _) ->
    ok;
producer(Counter, Item, Left, Window) ->
    receive
        credit ->
            N = min(Left, Window),
            items(Counter, Item, N),
            producer(Counter, Item, Left - N, Window)
    end.

items(_, _, 0) -> ok;
items(Counter, Item, N) -> Counter ! Item, items(Counter, Item, N - 1).

counter(Driver, Total, Total, _, _) ->
    Driver ! {part, Total};
counter(Driver, Total, Count, Window, Window) ->
    %% the message is its sender: see one_way
    receive From -> From ! credit, counter(Driver, Total, Count + 1, Window, 1) end;
counter(Driver, Total, Count, Window, InWindow) ->
    receive _ -> counter(Driver, Total, Count + 1, Window, InWindow + 1) end.

one_way(#{messages := Given, window := Window}) ->
    Messages = share(Given, 1, Window),
    Driver = self(),
    Counter = spawn_link(fun() -> counter(Driver, Messages, 0, window(Window, Messages), 1) end),
    Producer = spawn_link(fun() -> producer(Counter, self(), Messages, window(Window, Messages)) end),
    sample([], 1, Messages, fun() -> Producer ! credit end).

%% In whole windows; all at once are one.
share(Messages, Shares, 0) -> Messages div Shares;
share(Messages, Shares, Window) -> Messages div Shares div Window * Window.

window(0, Messages) -> Messages;
window(Window, _) -> Window.

counter_of_many(Driver, Counts, Window, Total) ->
    receive
        {producers, Producers} -> counter_of_many(Driver, Counts, Window, Total, 0, Producers)
    end.

counter_of_many(Driver, _, _, Total, Total, _) ->
    Driver ! {part, Total};
counter_of_many(Driver, Counts, Window, Total, Count, Producers) ->
    receive
        Producer ->
            case atomics:add_get(Counts, Producer, 1) of
                Window ->
                    atomics:put(Counts, Producer, 0),
                    element(Producer, Producers) ! credit;
                _ ->
                    ok
            end,
            counter_of_many(Driver, Counts, Window, Total, Count + 1, Producers)
    end.

fan_in(#{producers := Count, messages := Messages, window := Given}) ->
    Each = share(Messages, Count, Given),
    Window = window(Given, Each),
    Driver = self(),
    Counts = atomics:new(Count, []),
    Counter = spawn_link(fun() -> counter_of_many(Driver, Counts, Window, Each * Count) end),
    Producers = spawn_all(Count, fun(I) -> producer(Counter, I + 1, Each, Window) end),
    Counter ! {producers, list_to_tuple(Producers)},
    sample([], 1, Each * Count, fun() -> send_all(Producers, credit) end).

%% ---- pairs: a window there, each answered; the next after the last answer ----

ponger() ->
    receive
        stop -> ok;
        From -> From ! pong, ponger()
    end.

window_pinger(Driver, Ponger, Messages, Window) ->
    receive begin_ -> ok end,
    windows(Ponger, Messages div Window, Window),
    Driver ! {part, 2 * Messages},
    Ponger ! stop.

windows(_, 0, _) ->
    ok;
windows(Ponger, Left, Window) ->
    pings(Ponger, Window),
    pongs(Window),
    windows(Ponger, Left - 1, Window).

pings(_, 0) -> ok;
pings(Ponger, N) -> Ponger ! self(), pings(Ponger, N - 1).

pongs(0) -> ok;
pongs(N) -> receive pong -> pongs(N - 1) end.

pairs(#{pairs := Count, messages := Messages, window := Window}) ->
    Each = share(Messages, Count * 2, Window),
    Driver = self(),
    Pingers = spawn_all(Count, fun(_) ->
        window_pinger(Driver, spawn_link(fun ponger/0), Each, Window)
    end),
    sample([], Count, 2 * Each * Count, fun() -> send_all(Pingers, begin_) end).

%% ---- big: pings to random others, the next after the pong ----

big_actor(Driver, Self, Pings, Seed) ->
    receive
        {all, All} -> big_actor(Driver, Self, Pings, rand:mwc59_seed(Seed), All, -1)
    end.

big_actor(Driver, Self, Pings, Random, All, Pongs) ->
    receive
        pong when Pongs + 1 =:= Pings ->
            Driver ! {part, 2 * Pings},
            big_actor(Driver, Self, Pings, Random, All, Pings);
        pong ->
            {R, Next} = draw(tuple_size(All) - 1, Random),
            To = case R < Self of true -> R; false -> R + 1 end,
            element(To + 1, All) ! self(),
            big_actor(Driver, Self, Pings, Next, All, Pongs + 1);
        stop ->
            ok;
        From ->
            From ! pong,
            big_actor(Driver, Self, Pings, Random, All, Pongs)
    end.

big(#{actors := Count, pings := Pings, seed := Seed}) ->
    Driver = self(),
    Actors = spawn_all(Count, fun(I) -> big_actor(Driver, I, Pings, Seed + I) end),
    send_all(Actors, {all, list_to_tuple(Actors)}),
    sample(Actors, Count, 2 * Count * Pings, fun() -> send_all(Actors, pong) end).

%% ---- chameneos ----

complement(Colour, Colour) -> Colour;
complement(blue, red) -> yellow;
complement(blue, yellow) -> red;
complement(red, blue) -> yellow;
complement(red, yellow) -> blue;
complement(yellow, blue) -> red;
complement(yellow, red) -> blue.

mall(Driver, 0) ->
    receive
        {meet, Who, _} -> Who ! {end_, self()}, mall(Driver, 0);
        {met, Meetings} -> Driver ! {part, Meetings}, mall(Driver, 0);
        stop -> ok
    end;
mall(Driver, Left) ->
    receive
        {meet, A, ColourA} ->
            receive
                {meet, B, ColourB} ->
                    A ! {other, ColourB},
                    B ! {other, ColourA},
                    mall(Driver, Left - 1)
            end
    end.

creature(Mall, Colour) ->
    receive begin_ -> meet(Mall, Colour, 0) end.

meet(Mall, Colour, Meetings) ->
    Mall ! {meet, self(), Colour},
    receive
        {other, Other} -> meet(Mall, complement(Colour, Other), Meetings + 1);
        {end_, Mall} -> Mall ! {met, Meetings}
    end.

chameneos(#{creatures := Count, meetings := Meetings}) ->
    Driver = self(),
    Mall = spawn_link(fun() -> mall(Driver, Meetings) end),
    Creatures = spawn_all(Count, fun(I) -> creature(Mall, element(I rem 3 + 1, {blue, red, yellow})) end),
    S = sample([Mall], Count, Meetings, fun() -> send_all(Creatures, begin_) end),
    S#{expected => 2 * Meetings}.

%% ---- message_ubench: balls forwarded at random ----

pinger(Driver, Hops, Seed) ->
    receive
        {all, All} -> pinger(Driver, Hops, rand:mwc59_seed(Seed), All)
    end.

pinger(Driver, Hops, Random, All) ->
    receive
        0 ->
            Driver ! {part, Hops},
            pinger(Driver, Hops, Random, All);
        Left when is_integer(Left) ->
            {To, Next} = draw(tuple_size(All), Random),
            element(To + 1, All) ! Left - 1,
            pinger(Driver, Hops, Next, All);
        stop ->
            ok
    end.

message_ubench(#{pingers := Count, balls := Balls, messages := Messages, seed := Seed}) ->
    Hops = Messages div (Count * Balls),
    Driver = self(),
    Pingers = spawn_all(Count, fun(I) -> pinger(Driver, Hops, Seed + I) end),
    send_all(Pingers, {all, list_to_tuple(Pingers)}),
    sample(Pingers, Count * Balls, Hops * Count * Balls, fun() ->
        [send_all(Pingers, Hops) || _ <- lists:seq(1, Balls)]
    end).

%% ---- spawn_stop: lives of one message ----

child() ->
    receive
        Mother -> Mother ! ended
    end.

mother(Driver, Lives) ->
    receive
        {begin_, Alive} ->
            Begun = min(Alive, Lives),
            [spawn(fun child/0) ! self() || _ <- lists:seq(1, Begun)],
            mother(Driver, Lives, Begun, 0)
    end.

mother(Driver, Lives, _, Lives) ->
    Driver ! {part, Lives};
mother(Driver, Lives, Begun, Ended) ->
    receive
        ended when Begun < Lives ->
            spawn(fun child/0) ! self(),
            mother(Driver, Lives, Begun + 1, Ended + 1);
        ended ->
            mother(Driver, Lives, Begun, Ended + 1)
    end.

spawn_stop(#{lives := Lives, alive := Alive}) ->
    Driver = self(),
    Mother = spawn_link(fun() -> mother(Driver, Lives) end),
    sample([], 1, Lives, fun() -> Mother ! {begin_, Alive} end).

%% ---- tree, skynet: nodes add up what their children send ----

sum(0, Sum) -> Sum;
sum(Children, Sum) -> receive N -> sum(Children - 1, Sum + N) end.

fib(Parent, N) when N =< 2 ->
    Parent ! 1;
fib(Parent, N) ->
    Self = self(),
    spawn(fun() -> fib(Self, N - 1) end),
    spawn(fun() -> fib(Self, N - 2) end),
    Parent ! sum(2, 0).

sky(Parent, First, 1) ->
    Parent ! First;
sky(Parent, First, Leaves) ->
    Self = self(),
    Share = Leaves div 10,
    [spawn(fun() -> sky(Self, First + I * Share, Share) end) || I <- lists:seq(0, 9)],
    Parent ! sum(10, 0).

%% The root is spawned when the work starts.
root(Sum, Actors, Root) ->
    Driver = self(),
    Last = spawn_link(fun() -> Driver ! {part, sum(1, 0)} end),
    S = sample([], 1, Actors, fun() -> spawn_link(fun() -> Root(Last) end) end),
    S#{expected => Sum}.

tree(#{n := N}) ->
    {_, Fib} = lists:foldl(fun(_, {A, B}) -> {B, A + B} end, {0, 1}, lists:seq(2, N)),
    root(Fib, 2 * Fib - 1, fun(Parent) -> fib(Parent, N) end).

skynet(#{leaves := Leaves}) ->
    Actors = (10 * Leaves - 1) div 9,
    root(Leaves * (Leaves - 1) div 2, Actors, fun(Parent) -> sky(Parent, 0, Leaves) end).

%% ---- idle: what a process costs that has had its message ----

%% With the tuned settings it hibernates, as the documentation advises for processes that expect to wait long.
idler(Nursery, {Sum, Messages}) ->
    receive
        stop ->
            ok;
        {N, true} ->
            Nursery ! had,
            erlang:hibernate(?MODULE, idler, [Nursery, {Sum + N, Messages + 1}]);
        {N, false} ->
            Nursery ! had,
            idler(Nursery, {Sum + N, Messages + 1})
    end.

nursery(Driver, Actors, Tuned) ->
    receive begin_ -> ok end,
    Self = self(),
    [spawn(fun() -> idler(Self, {0, 0}) end) ! {N, Tuned} || N <- lists:seq(1, Actors)],
    [receive had -> ok end || _ <- lists:seq(1, Actors)],
    Driver ! {part, Actors}.

resident() ->
    [garbage_collect(P) || P <- processes()],
    {ok, Text} = file:read_file("/proc/self/statm"),
    4096 * binary_to_integer(lists:nth(2, binary:split(Text, <<" ">>, [global]))).

idle(#{actors := Actors, tuned := Tuned}) ->
    Driver = self(),
    Nursery = spawn_link(fun() -> nursery(Driver, Actors, Tuned) end),
    Before = resident(),
    Old = lists:sort(processes()),
    S = sample([], 1, Actors, fun() -> Nursery ! begin_ end),
    S#{more => fun() -> timer:sleep(1000), io_lib:format(", \"rss\": ~b", [resident() - Before]) end,
       stop => fun() -> stop(ordsets:subtract(lists:sort(processes()), Old)) end}.

%% ---- ask: gen_server's calls, several in flight by its collections of requests ----

init([]) -> {ok, 0}.
handle_call(N, _, Asked) -> {reply, N, Asked + 1}.
handle_cast(stop, Asked) -> {stop, normal, Asked}.

-define(TIMEOUT, 10000).

asker(Driver, Server, Asks, 1) ->
    receive begin_ -> ok end,
    [N = gen_server:call(Server, N, ?TIMEOUT) || N <- lists:seq(1, Asks)],
    asked(Driver, Server, Asks);
asker(Driver, Server, Asks, Window) ->
    receive begin_ -> ok end,
    First = min(Window, Asks),
    Requests = lists:foldl(fun(N, R) -> gen_server:send_request(Server, N, N, R) end,
                           gen_server:reqids_new(), lists:seq(1, First)),
    answers(Server, Requests, First, Asks),
    asked(Driver, Server, Asks).

asked(Driver, Server, Asks) ->
    Driver ! {part, Asks},
    gen_server:cast(Server, stop).

answers(Server, Requests, Asked, Asks) ->
    case gen_server:receive_response(Requests, ?TIMEOUT, true) of
        {{reply, N}, N, Rest} when Asked < Asks ->
            answers(Server, gen_server:send_request(Server, Asked + 1, Asked + 1, Rest), Asked + 1, Asks);
        {{reply, N}, N, Rest} ->
            answers(Server, Rest, Asked, Asks);
        no_request ->
            ok
    end.

ask(#{asks := Asks, window := Window}) ->
    Driver = self(),
    {ok, Server} = gen_server:start_link(?MODULE, [], []),
    Asker = spawn_link(fun() -> asker(Driver, Server, Asks, Window) end),
    sample([], 1, Asks, fun() -> Asker ! begin_ end).

%% ---- paced_inside: sent at fixed times, whatever becomes of them ----

paced_receiver(Driver, 0, Count, Latencies) ->
    Driver ! {part, Count},
    receive stop -> Driver ! {latencies, Latencies} end;
paced_receiver(Driver, Left, Count, Latencies) ->
    receive
        Due -> paced_receiver(Driver, Left - 1, Count + 1, [erlang:monotonic_time(nanosecond) - Due | Latencies])
    end.

%% The sender is a process like the others: between its looks at the clock it lets them run.
pace(_, Messages, Messages, _, _) ->
    ok;
pace(Receivers, I, Messages, Due, Period) ->
    {Next, NextDue} = send_due(Receivers, I, Messages, Due, Period, erlang:monotonic_time(nanosecond)),
    erlang:yield(),
    pace(Receivers, Next, Messages, NextDue, Period).

send_due(Receivers, I, Messages, Due, Period, Now) when I < Messages, Due =< Now ->
    element(I rem tuple_size(Receivers) + 1, Receivers) ! Due,
    send_due(Receivers, I + 1, Messages, Due + Period, Period, Now);
send_due(_, I, _, Due, _, _) ->
    {I, Due}.

percentiles(Receivers) ->
    send_all(Receivers, stop),
    All = list_to_tuple(lists:sort(lists:append([receive {latencies, L} -> L end || _ <- Receivers]))),
    At = fun(P) -> element(ceil(P * tuple_size(All)), All) end,
    io_lib:format(", \"latency_ns\": {\"p50\": ~b, \"p90\": ~b, \"p99\": ~b, \"p999\": ~b, \"max\": ~b}",
                  [At(P) || P <- [0.5, 0.9, 0.99, 0.999, 1]]).

paced_inside(#{period_ns := Period, actors := Count, messages := Messages}) ->
    Driver = self(),
    Receivers = spawn_all(Count, fun(I) -> paced_receiver(Driver, (Messages + Count - 1 - I) div Count, 0, []) end),
    S = sample([], Count, Messages, fun() ->
        pace(list_to_tuple(Receivers), 0, Messages, erlang:monotonic_time(nanosecond), Period)
    end),
    S#{more => fun() -> percentiles(Receivers) end}.

%% ---- their names, parameters and limits ----

any(_) -> ok.

all() ->
    [{"ping_pong", #{hops => 2000000}, fun any/1,
      fun(#{hops := Hops}) -> ring(2, 1, Hops) end},
     {"one_way", #{messages => 1000000, window => 100},
      fun(#{messages := M, window := W}) when M >= W -> ok;
         (_) -> "messages is at least a window" end,
      fun one_way/1},
     {"thread_ring", #{actors => 100, tokens => 1, hops => 2000000},
      fun(#{tokens := T, hops := H}) when H >= T -> ok;
         (_) -> "hops is at least one a token" end,
      fun(#{actors := Actors, tokens := T, hops := H}) -> ring(Actors, T, H div T) end},
     {"fan_in", #{producers => 60, messages => 1000000, window => 1000},
      fun(#{messages := M, producers := P, window := 0}) when M >= P -> ok;
         (#{messages := M, producers := P, window := W}) when W > 0, M >= P * W -> ok;
         (_) -> "messages is at least a window a producer" end,
      fun fan_in/1},
     {"pairs", #{pairs => 4, messages => 400000, window => 50},
      fun(#{window := W, messages := M, pairs := P}) when W > 0, M div P div 2 >= W -> ok;
         (_) -> "messages is at least a window there and back a pair, and window at least 1" end,
      fun pairs/1},
     {"big", #{actors => 120, pings => 5000, seed => 1},
      fun(#{actors := A}) when A >= 2 -> ok; (_) -> "actors is at least 2" end,
      fun big/1},
     {"chameneos", #{creatures => 100, meetings => 100000},
      fun(#{creatures := C}) when C >= 2 -> ok; (_) -> "creatures is at least 2" end,
      fun chameneos/1},
     {"message_ubench", #{pingers => 8, balls => 5, messages => 2000000, seed => 1},
      fun(#{messages := M, pingers := P, balls := B}) when M >= P * B -> ok;
         (_) -> "messages is at least one a ball" end,
      fun message_ubench/1},
     {"spawn_stop", #{lives => 300000, alive => 1000}, fun any/1, fun spawn_stop/1},
     {"tree", #{n => 25},
      fun(#{n := N}) when N =< 40 -> ok; (_) -> "n is at most 40" end,
      fun tree/1},
     {"skynet", #{leaves => 1000000},
      fun(#{leaves := L}) ->
          case string:trim(integer_to_list(L), trailing, "0") of "1" -> ok; _ -> "leaves is a power of ten" end
      end,
      fun skynet/1},
     {"idle", #{actors => 1000000}, fun any/1, fun idle/1},
     {"ask", #{asks => 500000, window => 1},
      fun(#{window := W}) when W > 0 -> ok; (_) -> "window is at least 1" end,
      fun ask/1},
     {"paced_inside", #{period_ns => 10000, actors => 64, messages => 300000},
      fun(#{period_ns := P, actors := A, messages := M}) when P > 0, M >= A -> ok;
         (_) -> "each actor has at least one message" end,
      fun paced_inside/1}].

%% Why a workload cannot be expressed.
lacks("paced_outside") -> "Erlang code runs in processes only, all of them on the schedulers' threads";
lacks(_) -> none.
