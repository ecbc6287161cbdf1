//! How many connections may be open, in total and by client, and what each holds while it is open.

use ipnet::IpNet;
use izanagi_domain::accounts::Network;
use parking_lot::Mutex;
use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::Arc,
};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

/// Counts the open connections of each network, so that one client cannot hold them all.
#[derive(Debug)]
pub(crate) struct ByNetwork {
    most: usize,
    /// Proxies, behind which there are many clients.
    exempt: Vec<IpNet>,
    open: Mutex<HashMap<Network, usize>>,
}

/// A counted connection.
#[derive(Debug)]
pub(crate) struct Counted(Option<(Arc<ByNetwork>, Network)>);

/// What an open connection holds. A WebSocket keeps it too, so that it counts as a connection until it
/// is closed, and a shutdown waits for it.
pub(crate) struct ConnectionGuard {
    /// Cancelled when the server shuts down: no further request is accepted.
    pub(crate) ending: CancellationToken,
    /// Cancelled when the time for that is over.
    pub(crate) closing: CancellationToken,
    _place: Option<OwnedSemaphorePermit>,
    _counted: Counted,
    _awaited: TaskTrackerToken,
}

impl ConnectionGuard {
    pub(crate) const fn new(
        place: Option<OwnedSemaphorePermit>,
        counted: Counted,
        awaited: TaskTrackerToken,
        ending: CancellationToken,
        closing: CancellationToken,
    ) -> Self {
        Self { ending, closing, _place: place, _counted: counted, _awaited: awaited }
    }
}

impl ByNetwork {
    /// Allows `most` connections to each network. Proxies and this machine are exempt.
    pub(crate) fn new(most: usize, exempt: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self { most, exempt, open: Mutex::default() })
    }

    /// Counts a connection until the result is dropped; `None` if its network has too many.
    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Counted> {
        let peer = peer.to_canonical();
        if peer.is_loopback() || self.exempt.iter().any(|net| net.contains(&peer)) {
            return Some(Counted(None));
        }
        let network = Network::of(peer);
        let mut open = self.open.lock();
        let count = open.entry(network).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Counted(Some((Arc::clone(self), network))))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some((by_network, network)) = self.0.take() else { return };
        if let Entry::Occupied(mut count) = by_network.open.lock().entry(network) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::one_address("192.0.2.1", "192.0.2.1", false)]
    #[case::mapped("192.0.2.1", "::ffff:192.0.2.1", false)]
    #[case::another_address("192.0.2.1", "192.0.2.2", true)]
    #[case::one_network("2001:db8::1", "2001:db8::2", false)]
    #[case::another_network("2001:db8::1", "2001:db8:0:1::1", true)]
    #[case::proxy("10.0.0.1", "10.0.0.1", true)]
    #[case::this_machine("127.0.0.1", "127.0.0.1", true)]
    #[case::this_machine_too("::1", "::1", true)]
    fn the_third_connection_of_a_network_is_refused(
        #[case] first: &str,
        #[case] third: &str,
        #[case] admitted: bool,
    ) {
        let connections = ByNetwork::new(2, vec!["10.0.0.0/8".parse().unwrap()]);
        let admit = |ip: &str| connections.admit(ip.parse().unwrap());
        let open = [admit(first).unwrap(), admit(first).unwrap()];
        let new = admit(third);
        assert_eq!(new.is_some(), admitted);
        drop((open, new));
        assert!(connections.open.lock().is_empty());
        assert!(admit(third).is_some());
    }
}
