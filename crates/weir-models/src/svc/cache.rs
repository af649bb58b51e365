//! Kernel rows kept by least recent use, in one arena that outlives the problems it serves: fresh pages cost more
//! than computing the rows that go there.

const NONE: u32 = u32::MAX;

/// A cache of rows of one length.
#[derive(Default)]
pub(super) struct RowCache {
    /// `[slots in use][length]`, grown as slots are first used.
    arena: Vec<f32>,
    length: usize,
    capacity: usize,
    /// Slot of each key, or [`NONE`].
    slots: Vec<u32>,
    /// Key of each slot in use.
    keys: Vec<u32>,
    /// Neighbours of each slot in the ring of use; `newest` comes before `newest.next`, which is the oldest.
    next: Vec<u32>,
    previous: Vec<u32>,
    newest: u32,
}

impl RowCache {
    /// Empties the cache for `keys` rows of `length` values within `bytes`; two rows always fit.
    pub(super) fn reset(&mut self, keys: usize, length: usize, bytes: usize) {
        self.length = length;
        self.capacity = (bytes / (4 * length.max(1))).clamp(2, keys.max(2));
        self.slots.clear();
        self.slots.resize(keys, NONE);
        self.keys.clear();
        self.next.clear();
        self.previous.clear();
        self.newest = NONE;
    }

    /// The slot of a row, made the newest. A row that is not there is written by `fill`, in place of the oldest.
    pub(super) fn slot(&mut self, key: usize, fill: impl FnOnce(&mut [f32])) -> u32 {
        let found = self.slots[key];
        if found != NONE {
            self.touch(found);
            return found;
        }
        let slot = if self.keys.len() < self.capacity {
            self.keys.push(key as u32);
            let slot = self.keys.len() as u32 - 1;
            if self.arena.len() < self.keys.len() * self.length {
                self.arena.resize(self.keys.len() * self.length, 0.0);
            }
            self.link(slot);
            slot
        } else {
            // The ring is full; moving its head by one makes the oldest the newest.
            let oldest = self.next[self.newest as usize];
            self.newest = oldest;
            self.slots[self.keys[oldest as usize] as usize] = NONE;
            self.keys[oldest as usize] = key as u32;
            oldest
        };
        self.slots[key] = slot;
        let start = slot as usize * self.length;
        fill(&mut self.arena[start..start + self.length]);
        slot
    }

    /// A row by its slot, valid until another row is written there.
    pub(super) fn row(&self, slot: u32) -> &[f32] {
        let start = slot as usize * self.length;
        &self.arena[start..start + self.length]
    }

    /// A row if it is there; its age stays.
    pub(super) fn peek(&self, key: usize) -> Option<&[f32]> {
        let slot = self.slots[key];
        (slot != NONE).then(|| self.row(slot))
    }

    /// Keeps only the values at `positions` (ascending) of every row and renames the keys likewise, dropping rows
    /// whose key goes. `length` is the new length of a row, at least that of `positions`.
    pub(super) fn compact(&mut self, positions: &[u32], length: usize, bytes: usize) {
        let old = std::mem::take(self);
        let mut order = Vec::with_capacity(old.keys.len());
        let mut slot = old.newest;
        for _ in 0..old.keys.len() {
            slot = old.next[slot as usize];
            order.push(slot);
        }
        let mut new_key = vec![NONE; old.slots.len()];
        for (new, &position) in positions.iter().enumerate() {
            new_key[position as usize] = new as u32;
        }
        self.arena = old.arena;
        self.reset(positions.len(), length, bytes);
        let mut new_slot = vec![NONE; old.keys.len()];
        for (slot, &key) in old.keys.iter().enumerate() {
            let key = new_key[key as usize];
            if key == NONE {
                continue;
            }
            // Rows move towards the front only: a row's new place ends before the next row's old place.
            let to = self.keys.len();
            let (start, old_start) = (to * length, slot * old.length);
            for (offset, &position) in positions.iter().enumerate() {
                self.arena[start + offset] = self.arena[old_start + position as usize];
            }
            self.arena[start + positions.len()..start + length].fill(0.0);
            self.keys.push(key);
            self.slots[key as usize] = to as u32;
            new_slot[slot] = to as u32;
        }
        self.next.resize(self.keys.len(), NONE);
        self.previous.resize(self.keys.len(), NONE);
        for slot in order {
            if new_slot[slot as usize] != NONE {
                self.append(new_slot[slot as usize]);
            }
        }
    }

    fn touch(&mut self, slot: u32) {
        if slot == self.newest {
            return;
        }
        let (previous, next) = (self.previous[slot as usize], self.next[slot as usize]);
        self.next[previous as usize] = next;
        self.previous[next as usize] = previous;
        self.append(slot);
    }

    fn link(&mut self, slot: u32) {
        self.next.push(NONE);
        self.previous.push(NONE);
        self.append(slot);
    }

    /// Puts a slot that is in no ring behind the newest.
    fn append(&mut self, slot: u32) {
        if self.newest == NONE {
            self.next[slot as usize] = slot;
            self.previous[slot as usize] = slot;
        } else {
            let oldest = self.next[self.newest as usize];
            self.next[self.newest as usize] = slot;
            self.previous[slot as usize] = self.newest;
            self.next[slot as usize] = oldest;
            self.previous[oldest as usize] = slot;
        }
        self.newest = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(cache: &mut RowCache, key: usize) -> bool {
        let mut filled = false;
        let slot = cache.slot(key, |row| {
            filled = true;
            for (position, value) in row.iter_mut().enumerate() {
                *value = (10 * key + position) as f32;
            }
        });
        assert_eq!(cache.row(slot)[2], (10 * key + 2) as f32);
        filled
    }

    #[test]
    fn the_least_recently_used_row_goes() {
        let mut cache = RowCache::default();
        cache.reset(10, 4, 3 * 4 * 4);
        for key in [0, 1, 2] {
            assert!(fetch(&mut cache, key));
        }
        assert!(!fetch(&mut cache, 0));
        assert!(fetch(&mut cache, 7), "takes the place of 1");
        assert!(!fetch(&mut cache, 2));
        assert!(fetch(&mut cache, 1), "takes the place of 0");
        assert!(fetch(&mut cache, 0), "takes the place of 7");
        assert!(!fetch(&mut cache, 2) && !fetch(&mut cache, 1));
    }

    #[test]
    fn compacted_rows_keep_values_and_age() {
        let mut cache = RowCache::default();
        cache.reset(4, 4, 1000);
        for key in [3, 0, 1, 2] {
            fetch(&mut cache, key);
        }
        cache.compact(&[1, 3], 2, 2 * 2 * 4);
        assert_eq!(cache.peek(0), Some(&[11.0, 13.0][..]), "row 1");
        assert_eq!(cache.peek(1), Some(&[31.0, 33.0][..]), "row 3");
        let oldest = cache.next[cache.newest as usize];
        assert_eq!(cache.keys[oldest as usize], 1);
    }
}
