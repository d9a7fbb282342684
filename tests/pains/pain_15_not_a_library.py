#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Heist is a library: Python loads it by ctypes, without a line of C, and keeps its own main, loop and threads.

usage: pain_15_not_a_library.py LIBHEIST [--full]

An actor whose handler is a Python function answers a request; a runtime is driven by Python's select(); two runtimes, one
of them with threads, are started and stopped 100 times (--full: 1000), after which the process has the threads and
descriptors that it had."""
import ctypes as c
import os
import select
import sys
import threading
import time

OK, CONTINUE, THREADS, POLLED, ABI, OFF = 0, 0, 0, 1, 1, 2


class Ref(c.Structure):
    _fields_ = [("v", c.c_uint64)]


class Config(c.Structure):
    """The beginning of heist_config: what is shorter is read within its size."""

    _fields_ = [("struct_size", c.c_uint32), ("mode", c.c_int), ("workers", c.c_uint32), ("pin", c.c_int)]


class Type(c.Structure):
    _fields_ = [("base", c.c_void_p), ("name", c.c_char_p), ("tag", c.c_uint32), ("size", c.c_uint32), ("reply_size", c.c_uint32),
                ("flags", c.c_uint32), ("drops", c.c_void_p), ("reserved", c.c_void_p)]


Recv = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.POINTER(Type), c.c_void_p)


class Class(c.Structure):
    _fields_ = [("name", c.c_char_p), ("abi", c.c_uint32), ("state_size", c.c_uint32), ("recv", Recv), ("hooks", c.c_void_p)]


def load(path):
    lib = c.CDLL(path)
    signatures = {
        "heist_start": (c.c_int, [c.POINTER(Config), c.POINTER(c.c_void_p)]),
        "heist_spawn": (c.c_int, [c.c_void_p, c.POINTER(Class), c.c_void_p, c.c_void_p, c.POINTER(Ref)]),
        "heist_send": (c.c_int, [Ref, c.POINTER(Type), c.c_void_p]),
        "heist_call": (c.c_int, [c.c_void_p, Ref, c.POINTER(Type), c.c_void_p, c.c_uint64, c.c_void_p]),
        "heist_reply": (c.c_int, [c.c_void_p, c.c_int, c.POINTER(Type), c.c_void_p]),
        "heist_in_ms": (c.c_uint64, [c.c_void_p, c.c_uint32]),
        "heist_poll": (c.c_int, [c.c_void_p, c.c_uint64, c.c_int]),
        "heist_poll_fd": (c.c_int, [c.c_void_p]),
        "heist_shutdown": (c.c_int, [c.c_void_p, c.c_uint64]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


def message_type(name, reply_size):
    t = Type(name=name, size=8, reply_size=reply_size)
    t.base = c.addressof(t)
    return t


NUMBER, SQUARE = message_type(b"number", 1), message_type(b"square", 8)
seen = []


@Recv
def handle(ctx, _state, message, payload):
    n = c.cast(payload, c.POINTER(c.c_int64))[0]
    if c.addressof(message.contents) == c.addressof(SQUARE):
        must("heist_reply", heist.heist_reply(ctx, OK, message, c.byref(c.c_int64(n * n))))
    else:
        seen.append(n)
    return CONTINUE


PYTHON = Class(b"python", ABI, 0, handle, None)


def must(what, status):
    if status != OK:
        sys.exit(f"{what}: status {status}")


def start(mode, workers):
    system = c.c_void_p()
    config = Config(c.sizeof(Config), mode, workers, OFF)
    must("heist_start", heist.heist_start(c.byref(config), c.byref(system)))
    return system


def spawn(system):
    ref = Ref()
    must("heist_spawn", heist.heist_spawn(system, c.byref(PYTHON), None, None, c.byref(ref)))
    return ref


def send(ref, n):
    must("heist_send", heist.heist_send(ref, c.byref(NUMBER), c.byref(c.c_int64(n))))


def square(system, ref, n):
    answer = c.c_int64()
    deadline = heist.heist_in_ms(system, 20000)
    must("heist_call", heist.heist_call(system, ref, c.byref(SQUARE), c.byref(c.c_int64(n)), deadline, c.byref(answer)))
    return answer.value


def stop(system):
    must("heist_shutdown", heist.heist_shutdown(system, 0))


def request():
    system = start(THREADS, 2)
    actor = spawn(system)
    assert [square(system, actor, n) for n in range(100)] == [n * n for n in range(100)]
    stop(system)


def own_loop():
    """select() sleeps until another thread of Python has sent something."""
    system = start(POLLED, 0)
    actor = spawn(system)
    heist.heist_poll(system, 0, 1000)
    for n in range(100):
        sender = threading.Thread(target=send, args=(actor, n))
        sender.start()
        while n not in seen:
            readable, _, _ = select.select([heist.heist_poll_fd(system)], [], [], 20)
            assert readable, "nothing woke the loop up"
            heist.heist_poll(system, 0, 1000)
        sender.join()
    stop(system)
    assert seen == list(range(100))


def alone():
    """A thread that was joined is listed for a moment longer."""
    for _ in range(2000):
        if len(os.listdir("/proc/self/task")) == 1:
            return True
        time.sleep(0.01)
    return False


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def two_runtimes(times):
    assert alone(), "threads of before stay"
    before = descriptors()
    for n in range(times):
        first, second = start(THREADS, 2), start(POLLED, 0)
        one, other = spawn(first), spawn(second)
        send(other, n)
        assert square(first, one, n) == n * n
        stop(second)
        stop(first)
    assert alone(), "threads stay"
    assert descriptors() == before, "descriptors stay"


heist = load(sys.argv[1])
request()
own_loop()
two_runtimes(1000 if "--full" in sys.argv else 100)
print("Python's handlers, Python's loop, two runtimes at a time: all right")
