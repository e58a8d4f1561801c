// What is there of the files when a transfer begins.

extension FileTransferReceiver {
    /// Looks what there is of the files; true if it has hashed for a while.
    func examine(from first: Int) -> Bool {
        do {
            if self.scan != nil {
                try self.advanceScan()
                return true
            }
        } catch {
            if let scan = self.scan { self.skip(scan.index, error) }
            self.scan = nil
            return false
        }
        var next = first
        while next < self.manifest.entries.count, self.scan == nil, !self.outbox.packer.isFull {
            self.examine(next)
            next += 1
        }
        self.phase = .examining(next: next)
        if next == self.manifest.entries.count, self.scan == nil {
            self.phase = .receiving
            self.progress.stage = .transferring
            self.makeFolders()
            self.outbox.packer.append(.start)
        }
        return false
    }

    private func examine(_ index: Int) {
        let entry = self.manifest.entries[index]
        guard entry.kind == .file else { return }
        switch self.target.examine(entry) {
        case .nothing: break
        case .blocked(let problem): self.skip(index, problem)
        case .part(let file, let runs, let chunks):
            guard chunks > 0 else { return }
            self.scan = Scan(
                index: index,
                scanner: ChunkScanner(file, chunks: chunks, expected: runs),
                kind: .partial
            )
        case .whole(let file):
            self.scan = Scan(
                index: index,
                scanner: ChunkScanner(file, chunks: HashTree.chunks(of: entry.size)),
                kind: self.target.policy == .keep ? .wholeOrNothing : .wholeOrAnew
            )
        }
    }

    private func advanceScan() throws(FileTransferProblem) {
        guard var scan = self.scan else { return }
        self.scan = nil
        let before = scan.scanner.tree.count
        do {
            try scan.scanner.advance(self.buffer)
        } catch {
            self.scan = scan
            throw error
        }
        let tree = scan.scanner.tree
        self.progress.comparedBytes += (tree.count - before) * UInt64(HashTree.chunkSize)
        guard scan.scanner.isFinished else {
            self.scan = scan
            return
        }
        let entry = self.manifest.entries[scan.index]
        if scan.kind == .partial {
            guard tree.count > 0 else { return }
            self.kept[scan.index] = tree
        } else {
            self.offered.insert(scan.index)
        }
        let root = tree.root(size: entry.size)
        self.outbox.packer.append(.have(index: UInt32(scan.index), scan.kind, chunks: tree.count, root: root))
    }

    private func skip(_ index: Int, _ problem: FileTransferProblem) {
        self.isSettled[index] = true
        self.outbox.packer.append(.skip(index: UInt32(index), problem))
        self.note(index, problem)
    }

    private func makeFolders() {
        for entry in self.manifest.entries where entry.kind == .directory {
            do {
                try self.target.makeFolder(entry)
            } catch {
                self.outbox.note(entry, error)
            }
        }
    }
}
