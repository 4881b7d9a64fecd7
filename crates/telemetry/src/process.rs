//! The process itself, as Linux tells it under `/proc/self`. Elsewhere nothing is told.

use crate::metrics::{Metrics, clamped};
use std::fs;

/// Ticks a second in `/proc/self/stat`: 100 on every architecture that Linux has (`USER_HZ`).
const TICKS: f64 = 100.0;
/// Resident memory as `/proc/self/status` counts it.
const KIB: u64 = 1024;

pub(crate) fn look(metrics: &Metrics) {
    let none = Vec::new();
    if let Some(bytes) = resident() {
        metrics.resident.get_or_create(&none).set(clamped(bytes));
    }
    if let Some(seconds) = cpu() {
        let counter = metrics.cpu.get_or_create(&none);
        let more = seconds - counter.get();
        if more > 0.0 {
            counter.inc_by(more);
        }
    }
    if let Ok(fds) = fs::read_dir("/proc/self/fd") {
        metrics.fds.get_or_create(&none).set(clamped(fds.count() as u64));
    }
}

fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * KIB)
}

/// User and system time, fields 14 and 15 of `stat`; the name before them may hold blanks.
///
/// Source: proc_pid_stat(5).
fn cpu() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / TICKS)
}
