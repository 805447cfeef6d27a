//! Processes that this run started, and what /proc says of them.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::Result;

/// A server of this run; stopped when dropped.
pub struct Server {
    pub address: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts a server, and waits until it accepts connections.
    pub async fn start(mut command: Command, address: SocketAddr) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mut server = Self { address, child };
        let start = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("a server ended at once: {status}").into());
            }
            if start.elapsed() > Duration::from_secs(60) {
                return Err("a server does not answer".into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(server)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address on loopback that was free a moment ago.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// CPU time of a process and its threads, in milliseconds. The kernel's scheduler counts nanoseconds; where it
/// does not tell them, the ticks of `stat` have to do.
pub fn cpu_ms(pid: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let nanoseconds: u64 = threads
        .filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        })
        .sum();
    if nanoseconds > 0 { nanoseconds as f64 / 1e6 } else { ticks(pid, OWN) as f64 * 10.0 }
}

/// Where user and system time stand in `stat`, counted after the name: the process's own, and of its children that
/// have ended.
const OWN: usize = 11;
const ENDED: usize = 13;

/// In ticks of 10 ms.
fn ticks(pid: u32, first: usize) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name may hold blanks; it ends with the last bracket.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    fields.split_whitespace().skip(first).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// CPU time of a process and all its children, those that have ended included: of a whole PostgreSQL cluster with
/// its workers for parallel queries, which come and go.
pub fn family_cpu_ms(parent: u32) -> f64 {
    let children = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, fields) = text.rsplit_once(')')?;
        let of: u32 = fields.split_whitespace().nth(1)?.parse().ok()?;
        (of == parent).then_some(pid)
    });
    cpu_ms(parent) + ticks(parent, ENDED) as f64 * 10.0 + children.map(cpu_ms).sum::<f64>()
}

/// Resident memory now and at its peak, in MB.
pub fn memory_mb(pid: u32) -> (f64, f64) {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// Lets the peak begin anew, where the kernel does that.
pub fn forget_peak(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// Waits for a program to end well: its peak of memory in MB.
pub async fn finish_watched(command: &mut Command) -> Result<f64> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let mut peak = 0.0_f64;
    loop {
        peak = peak.max(memory_mb(child.id()).1);
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(peak),
            Some(status) => return Err(format!("{:?}: {status}", command.get_program()).into()),
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Waits for a program to end well.
pub fn finish(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{:?}: {}", command.get_program(), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
