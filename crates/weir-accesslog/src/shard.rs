//! The clients whose addresses have a certain hash: what one thread counts.

use std::collections::HashMap;
use std::net::IpAddr;

use xxhash_rust::xxh3::xxh3_64;

use crate::client::{ClientCounts, Request};
use crate::timeline::Timeline;

/// A fixed number, so that what comes out does not depend on the threads.
pub(crate) const SHARDS: usize = 16;

/// Minutes that are farther than this from where the log has come to are closed, seconds: no line is that much out of
/// order, and what a client keeps of its open minutes is most of its memory.
const FAR: u64 = 900;

/// Requests after which far minutes are looked for, at least; with more clients, as many as there are.
const LOOK_AFTER: usize = 4_096;

#[derive(Debug, Clone, Default)]
pub(crate) struct Shard {
    index: HashMap<IpAddr, usize>,
    clients: Vec<ClientCounts>,
    timeline: Timeline,
    /// Requests since far minutes were looked for.
    unlooked: usize,
}

/// Where the counts of an address are.
pub(crate) fn shard_of(address: IpAddr) -> usize {
    let hash = match address {
        IpAddr::V4(address) => xxh3_64(&address.octets()),
        IpAddr::V6(address) => xxh3_64(&address.octets()),
    };
    hash as usize % SHARDS
}

impl Shard {
    pub(crate) fn add(&mut self, request: &Request) {
        let clients = &mut self.clients;
        let at = *self.index.entry(request.entry.client).or_insert_with(|| {
            clients.push(ClientCounts::new(request.entry.client, request.entry.time));
            clients.len() - 1
        });
        clients[at].add(request, &mut self.timeline);
        self.unlooked += 1;
        if self.unlooked >= clients.len().max(LOOK_AFTER) {
            self.unlooked = 0;
            for client in clients {
                client.close_far(request.entry.time, FAR, &mut self.timeline);
            }
        }
    }

    pub(crate) fn clients(&self) -> usize {
        self.clients.len()
    }

    pub(crate) fn credits(&self) -> impl Iterator<Item = u64> {
        self.clients.iter().map(ClientCounts::credit)
    }

    /// Takes from the credit of every client, and drops those that have none left.
    pub(crate) fn debit(&mut self, decrement: u64) {
        let timeline = &mut self.timeline;
        self.clients.retain_mut(|client| {
            let stays = client.debit(decrement);
            if !stays {
                client.close(timeline);
            }
            stays
        });
        self.index = self.clients.iter().enumerate().map(|(at, client)| (client.address, at)).collect();
    }

    /// Closes all minutes.
    pub(crate) fn close(&mut self) {
        for client in &mut self.clients {
            client.close(&mut self.timeline);
        }
    }

    /// Takes in what was counted over another time. Minutes of both have to be closed.
    pub(crate) fn merge(&mut self, other: Self) {
        for client in other.clients {
            match self.index.get(&client.address) {
                Some(at) => self.clients[*at].merge(&client),
                None => {
                    self.index.insert(client.address, self.clients.len());
                    self.clients.push(client);
                }
            }
        }
        self.timeline.merge(other.timeline);
    }

    /// The clients and the timeline. Minutes have to be closed.
    pub(crate) fn finish(self) -> (Vec<ClientCounts>, Timeline) {
        (self.clients, self.timeline)
    }
}
