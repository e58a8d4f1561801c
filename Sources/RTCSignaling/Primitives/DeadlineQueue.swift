package import NIOCore

/// What is due when, for many keys of which each has one deadline that moves.
///
/// A key's deadline may be set as often as one likes: an entry is added only when the new one is earlier than what is in the
/// queue, and one that has become too early is put back when it comes up. Entries of keys that are gone are thrown out when
/// they are more than those of keys. So there are never more than about twice as many entries as keys.
package struct DeadlineQueue<Key: Hashable & Sendable>: Sendable {
    private struct Entry: Sendable {
        var deadline: NIODeadline
        var key: Key
    }

    /// Nothing is due.
    package init() {}

    /// A binary heap, the earliest first.
    private var heap: [Entry] = []
    /// What each key is due at, and the earliest entry that it has in the heap.
    private var keys: [Key: (due: NIODeadline, queued: NIODeadline)] = [:]

    /// How many entries there are.
    package var entryCount: Int { self.heap.count }

    /// When something may be due next: never later than the earliest deadline, sometimes earlier.
    package var next: NIODeadline? { self.heap.first?.deadline }

    /// Sets the deadline of a key, or takes it away.
    package mutating func set(_ deadline: NIODeadline?, for key: Key) {
        guard let deadline else {
            self.keys[key] = nil
            // Entries without a key go when they come up; without any key all can go at once.
            if self.keys.isEmpty { self.heap.removeAll() }
            return
        }
        if let known = self.keys[key], known.queued <= deadline {
            self.keys[key] = (deadline, known.queued)
        } else {
            self.keys[key] = (deadline, deadline)
            self.push(Entry(deadline: deadline, key: key))
        }
    }

    /// Removes and gives a key that is due; nil when none is.
    package mutating func popDue(now: NIODeadline) -> Key? {
        while let entry = self.heap.first, entry.deadline <= now {
            self.removeFirst()
            guard let known = self.keys[entry.key], known.queued == entry.deadline else { continue }
            if known.due <= now {
                self.keys[entry.key] = nil
                return entry.key
            }
            self.keys[entry.key] = (known.due, known.due)
            self.push(Entry(deadline: known.due, key: entry.key))
        }
        return nil
    }

    /// Adds an entry that its key knows of already.
    private mutating func push(_ entry: Entry) {
        guard self.heap.count <= 2 * self.keys.count + 16 else { return self.compact() }
        self.heap.append(entry)
        var index = self.heap.count - 1
        while index > 0, self.heap[index].deadline < self.heap[(index - 1) / 2].deadline {
            self.heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// Leaves one entry for each key.
    private mutating func compact() {
        self.heap = self.keys.map { Entry(deadline: $1.queued, key: $0) }.sorted { $0.deadline < $1.deadline }
    }

    private mutating func removeFirst() {
        self.heap.swapAt(0, self.heap.count - 1)
        self.heap.removeLast()
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < self.heap.count {
                if self.heap[child].deadline < self.heap[least].deadline { least = child }
            }
            guard least != index else { return }
            self.heap.swapAt(index, least)
            index = least
        }
    }
}
