//! The words of a fold: the task, the open bucket, and the edges, each 64 bits wide, as the caller writes them.

const std = @import("std");
const Fault = @import("faults.zig").Fault;

pub const none: i64 = std.math.minInt(i64);
pub const nowhere: i64 = -1;
const most_aggregates = 12;

pub const Aggregate = enum(i64) { mean, min, max, sum, count, count_all, first, last, twa, increase, delta };
const aggregate_count = 11;

pub const Method = enum(i64) { buckets, minmax, m4 };

pub const Task = extern struct {
    /// Samples that were carried over: they are not counted again.
    begun: i64,
    begin_ms: i64,
    /// `none` while more samples may come.
    end_ms: i64,
    max_gap_ms: i64,
    method: i64,
    empty_too: i64,
    /// What columns come out; -1 after the last one.
    aggregates: [most_aggregates]i64,
};

pub const Tally = extern struct {
    count_all: i64 = 0,
    count: i64 = 0,
    numbers: i64 = 0,
    least: f64 = std.math.inf(f64),
    greatest: f64 = -std.math.inf(f64),
    sum: f64 = 0,
    piece_sum: f64 = 0,
    piece_hour: i64 = 0,
    integral: f64 = 0,
    held_ms: i64 = 0,
    growths: i64 = 0,
    increase: f64 = 0,
    delta: f64 = 0,
    first: i64 = nowhere,
    last: i64 = nowhere,
    at_least: i64 = nowhere,
    at_greatest: i64 = nowhere,
    first_null: i64 = nowhere,
};

pub const Open = extern struct {
    /// `none` while no bucket is open.
    start_ms: i64,
    tally: Tally,
    latest: i64,
    previous_ms: i64,
    previous: f64,
    has_previous: i64,
    closed: i64,
    samples: i64,
};

const task_words = @sizeOf(Task) / 8;
const open_words = @sizeOf(Open) / 8;

/// What a fold is told beside the samples.
pub const Words = struct {
    task: *const Task,
    open: *const Open,
    edges: []const i64,

    /// From the reserved bytes. What does not add up is `Misuse`: they were made by our own code.
    pub fn read(input: []align(8) u8) Fault!Words {
        if (input.len % 8 != 0 or input.len < @sizeOf(Task) + @sizeOf(Open) + 16) return error.Misuse;
        const words: []i64 = @ptrCast(input);
        const found: Words = .{
            .task = @ptrCast(words[0..task_words]),
            .open = @ptrCast(words[task_words..][0..open_words]),
            .edges = words[task_words + open_words ..],
        };
        const task = found.task;
        if (task.begun < 0 or task.method < 0 or task.method > @backingInt(Method.m4)) return error.Misuse;
        for (found.edges[0 .. found.edges.len - 1], found.edges[1..]) |edge, after| if (edge >= after) return error.Misuse;
        const tally = &found.open.tally;
        for ([_]i64{ tally.first, tally.last, tally.at_least, tally.at_greatest, tally.first_null, found.open.latest }) |place| {
            if (place < nowhere or place >= task.begun) return error.Misuse;
        }
        for (found.aggregates()) |aggregate| if (aggregate >= aggregate_count) return error.Misuse;
        return found;
    }

    pub fn aggregates(self: *const Words) []const i64 {
        const all: []const i64 = &self.task.aggregates;
        for (all, 0..) |aggregate, place| if (aggregate < 0) return all[0..place];
        return all;
    }
};
