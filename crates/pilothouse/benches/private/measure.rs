//! Doing one thing again and again from several threads, against the clock.

use std::collections::VecDeque;
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How often something was done, and how long it took.
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) median: Duration,
}

/// At most this long, and for a quarter of what is measured.
const WARM_UP: Duration = Duration::from_millis(500);

/// Lets each of `clients` threads do its work over and over for so long, after a
/// moment to warm up. `worker` opens a thread's connection.
pub(crate) fn repeated<W: FnMut()>(
    clients: usize,
    each: Duration,
    worker: impl Fn() -> W + Sync,
) -> Measured {
    let start = Barrier::new(clients);
    let run = || {
        let mut work = worker();
        start.wait();
        until(WARM_UP.min(each / 4), &mut work);
        until(each, &mut work)
    };
    let times: Vec<Vec<Duration>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(run)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    // A thread's last turn may end late, so each is held to its own time.
    let per_second = times.iter().map(|times| {
        let took: Duration = times.iter().sum();
        times.len() as f64 / took.as_secs_f64()
    });
    Measured {
        per_second: per_second.sum(),
        median: median(times.concat()),
    }
}

fn until(each: Duration, work: &mut impl FnMut()) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut last = Instant::now();
    let end = last + each;
    while last < end {
        work();
        let now = Instant::now();
        times.push(now - last);
        last = now;
    }
    times
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// How long `clients` threads take until all these are done.
pub(crate) fn shared<T: Sync, W: FnMut(&T)>(
    clients: usize,
    all: &[T],
    worker: impl Fn() -> W + Sync,
) -> Duration {
    let left: Mutex<VecDeque<&T>> = Mutex::new(all.iter().collect());
    let run = || {
        let mut work = worker();
        loop {
            // On a line of its own, or the lock is held while the work is done.
            let next = left.lock().unwrap().pop_front();
            let Some(next) = next else { break };
            work(next);
        }
    };
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(run);
        }
    });
    began.elapsed()
}
