//! Sockets with buffers that are large enough.
//!
//! The `webrtc` crate leaves the kernel's default buffers on its UDP sockets;
//! at some 200 KiB they overflow whenever a window arrives at once, and the
//! losses cost most of the throughput.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    pin::Pin,
    sync::{
        Arc, Once,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use socket2::SockRef;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime,
    TokioRuntime,
};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Pending<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Tokio, with `bytes` of receive and send buffer on every UDP socket.
#[derive(Debug)]
pub(super) struct BufferedRuntime {
    inner: TokioRuntime,
    bytes: usize,
}

impl BufferedRuntime {
    /// A runtime whose sockets get `bytes` where the kernel allows it, and the
    /// bytes that it does allow for receiving.
    ///
    /// # Errors
    ///
    /// When no UDP socket can be had at all.
    pub(super) fn new(bytes: usize) -> io::Result<(Self, usize)> {
        static WARNED: Once = Once::new();
        let probe = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let granted = enlarge(&probe, bytes)?;
        if granted < bytes {
            WARNED.call_once(|| {
                tracing::warn!(
                    asked = bytes,
                    granted,
                    "the kernel limits UDP socket buffers, which limits the throughput; \
                     raise it with `sysctl -w net.core.rmem_max={bytes} net.core.wmem_max={bytes}`"
                );
            });
        }
        Ok((Self { inner: TokioRuntime, bytes }, granted))
    }
}

/// Sets both buffers of `socket`; returns the smaller one that was granted.
fn enlarge(socket: &UdpSocket, bytes: usize) -> io::Result<usize> {
    let socket = SockRef::from(socket);
    socket.set_recv_buffer_size(bytes)?;
    socket.set_send_buffer_size(bytes)?;
    // Linux doubles what is asked, for its own accounting, and reports that.
    let share = if cfg!(target_os = "linux") { 2 } else { 1 };
    Ok(socket.recv_buffer_size()?.min(socket.send_buffer_size()?) / share)
}

impl Runtime for BufferedRuntime {
    fn spawn(&self, future: Task) -> Box<dyn JoinHandle> {
        self.inner.spawn(future)
    }

    fn spawn_reactor(&self, reactor_pool_size: usize, future: Task) -> Box<dyn JoinHandle> {
        self.inner.spawn_reactor(reactor_pool_size, future)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        static WARNED: AtomicBool = AtomicBool::new(false);
        if let Err(error) = enlarge(&socket, self.bytes)
            && !WARNED.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "cannot enlarge the buffers of a UDP socket");
        }
        self.inner.wrap_udp_socket(socket)
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.inner.wrap_tcp_listener(listener)
    }

    fn connect_tcp(&self, remote: SocketAddr) -> Pending<'_, Arc<dyn AsyncTcpStream>> {
        self.inner.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Pending<'a, Vec<SocketAddr>> {
        self.inner.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.inner.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.inner.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.inner.block_on(future);
    }

    fn yield_now(&self) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.inner.yield_now()
    }

    fn name(&self) -> &'static str {
        "tokio, large socket buffers"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_gets_the_buffers_that_were_reported() {
        let (runtime, granted) = BufferedRuntime::new(128 * 1024).unwrap();
        assert_eq!(granted, 128 * 1024);
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let watched = socket.try_clone().unwrap();
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio.block_on(async { runtime.wrap_udp_socket(socket).map(drop) }).unwrap();
        let watched = SockRef::from(&watched);
        assert!(watched.recv_buffer_size().unwrap() >= granted);
        assert!(watched.send_buffer_size().unwrap() >= granted);
    }

    #[test]
    fn what_the_kernel_refuses_is_reported() {
        let (_, granted) = BufferedRuntime::new(1 << 30).unwrap();
        assert!(granted < 1 << 30);
    }
}
