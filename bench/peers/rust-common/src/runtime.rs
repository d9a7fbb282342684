// SPDX-License-Identifier: BSD-2-Clause
//! Tokio's runtime, in threads of its own, for the peers that run on it.
use std::ops::Deref;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::TUNED;

/// Dropped, it ends all tasks.
pub struct Runtime {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Runtime {
    /// Tuned, one worker is a current_thread runtime, but for workloads that are slower in it: the
    /// multi_thread one begins with what was woken or spawned last.
    pub fn start(workers: usize, workload: &str, slower: &[&str]) -> Self {
        let mut builder = match workers {
            1 if TUNED && !slower.contains(&workload) => Builder::new_current_thread(),
            _ => Builder::new_multi_thread(),
        };
        let runtime = builder.worker_threads(workers).enable_time().build().expect("a runtime");
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        // current_thread runs in the thread that blocks on it; multi_thread has its workers beside it.
        let thread = std::thread::spawn(move || _ = runtime.block_on(stopped));
        // It runs before a clock does.
        handle.block_on(handle.spawn(async {})).expect("a task ends");
        Runtime { handle, stop: Some(stop), thread: Some(thread) }
    }
}

impl Deref for Runtime {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the runtime ends");
        }
    }
}
