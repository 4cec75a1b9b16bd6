//! A contest: the same numbers are written in one form after another, and the lightest is kept.
//!
//! Of forms that weigh the same, the one whose bytes come first wins, so that Python and the kernel choose alike.

const std = @import("std");
const arena = @import("arena.zig");
const Fault = @import("faults.zig").Fault;
const weighing = @import("weighing.zig");
const wire = @import("wire.zig");

pub const Contest = struct {
    best: wire.Writer,
    trial: wire.Writer,
    weight: ?u64 = null,

    /// For forms of so many bytes at most.
    pub fn init(bytes: usize) Fault!Contest {
        return .{ .best = .{ .data = try arena.take(u8, bytes) }, .trial = .{ .data = try arena.take(u8, bytes) } };
    }

    /// Where the next form is to be written; it begins with these bytes.
    pub fn begin(self: *Contest, prefix: []const u8) Fault!*wire.Writer {
        self.trial.at = 0;
        try self.trial.bytes(prefix);
        return &self.trial;
    }

    /// The form that was written stands for election.
    pub fn offer(self: *Contest) void {
        self.offerOf(weighing.weight(self.trial.written()));
    }

    /// The same, of a weight that is known.
    pub fn offerOf(self: *Contest, weight: u64) void {
        if (self.weight) |least| {
            if (weight > least) return;
            if (weight == least and std.mem.order(u8, self.trial.written(), self.best.written()) != .lt) return;
        }
        self.weight = weight;
        std.mem.swap(wire.Writer, &self.best, &self.trial);
    }
};
