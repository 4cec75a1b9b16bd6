//! Columns of 64-bit integers, written in the lightest of their shapes: the choice, and the bytes, of Python's
//! `blocks/integers.py`.

const std = @import("std");
const arena = @import("arena.zig");
const Contest = @import("contest.zig").Contest;
const Distinct = @import("distinct.zig").Distinct;
const Fault = @import("faults.zig").Fault;
const integers = @import("integers.zig");
const weighing = @import("weighing.zig");
const wire = @import("wire.zig");

const Shape = integers.Shape;
const Writer = wire.Writer;

/// Bytes that any shape takes at most of a number: eight, and a table's places; and of heads.
const number_bytes = 10;
const head_bytes = 128;

/// A prefix of a shape that others share: a first number and a unit, of ten bytes each at most, and their shapes.
const Prefix = struct {
    data: [2 * (1 + 10)]u8 = undefined,
    size: usize = 0,

    fn writer(self: *Prefix) Writer {
        return .{ .data = &self.data, .at = self.size };
    }

    fn bytes(self: *const Prefix) []const u8 {
        return self.data[0..self.size];
    }
};

/// Write `numbers` in the lightest shape; what it weighs. None are no bytes.
pub fn encode(numbers: []const i64, out: *Writer) Fault!u64 {
    if (numbers.len == 0) return 0;
    const before = arena.mark();
    defer arena.release(before);
    const low, const high = extremes(numbers);
    if (low == high) {
        const start = out.at;
        try writeConstant(low, out);
        return weighing.weight(out.data[start..out.at]);
    }
    var contest = try Contest.init(room(numbers.len));
    try offerShapes(numbers, low, high, true, &contest);
    try out.bytes(contest.best.written());
    return contest.weight.?;
}

/// Bytes for the column of so many numbers, in any shape.
pub fn room(count: usize) usize {
    return number_bytes * count + head_bytes;
}

/// What may be the lightest form of at least two numbers that differ.
fn offerShapes(numbers: []const i64, low: i64, high: i64, runs: bool, contest: *Contest) Fault!void {
    const before = arena.mark();
    defer arena.release(before);
    var prefix: Prefix = .{};
    const parts = try inUnits(numbers, &prefix);
    const unit_low, const unit_high = extremes(parts);
    {
        const out = try contest.begin(prefix.bytes());
        try writeOffsets(parts, unit_low, unit_high, out);
        contest.offer();
    }
    if (unit_high -% unit_low == 1) {
        const out = try contest.begin(prefix.bytes());
        try head(.bits, out);
        try out.svarint(unit_low);
        try out.bitmap(try above(parts, unit_low));
        contest.offer();
    } else {
        try offerTable(numbers, "", contest);
    }
    if (spread(low, high) > std.math.maxInt(i64)) return;
    const deltas = try differences(numbers);
    var first: Prefix = .{};
    try writeFirst(numbers[0], &first);
    try offerDeltaShapes(deltas, &first, runs, contest);
    if (runs and (deltas.len - zeros(deltas)) * 2 < numbers.len) try offerRuns(numbers, "", contest);
}

fn offerDeltaShapes(all: []const i64, first: *Prefix, runs: bool, contest: *Contest) Fault!void {
    const low, const high = extremes(all);
    if (low == high) {
        try writeConstant(low, try contest.begin(first.bytes()));
        return contest.offer();
    }
    const deltas = try inUnits(all, first);
    try writeZigzags(deltas, try contest.begin(first.bytes()));
    contest.offer();
    try offerTable(deltas, first.bytes(), contest);
    if (deltas.len < 2 or spread(low, high) > std.math.maxInt(i64)) return;
    const again = try differences(deltas);
    const same = zeros(again);
    const out = try contest.begin(first.bytes());
    try head(.deltas, out);
    try out.svarint(deltas[0]);
    if (same == again.len) try writeConstant(0, out) else try writeZigzags(again, out);
    contest.offer();
    if (runs and same * 4 > deltas.len * 3) try offerRuns(deltas, first.bytes(), contest);
}

/// Distinct numbers, ascending, then for each number its place; nothing where that cannot pay.
fn offerTable(numbers: []const i64, prefix: []const u8, contest: *Contest) Fault!void {
    const before = arena.mark();
    defer arena.release(before);
    const found = try Distinct.of(numbers, @min(integers.max_table, numbers.len * 3 / 4)) orelse return;
    const count = found.numbers.len;
    if (count < 2) return;
    const order = try arena.take(u32, count);
    for (order, 0..) |*one, place| one.* = @intCast(place);
    std.mem.sortUnstable(u32, order, found.numbers, smaller);
    const rank = try arena.take(u64, count);
    const table = try arena.take(i64, count);
    for (order, table, 0..) |place, *number, at| {
        rank[place] = at;
        number.* = found.numbers[place];
    }
    const places = try arena.take(u64, numbers.len);
    for (places, found.places) |*one, place| one.* = rank[place];
    const out = try contest.begin(prefix);
    try head(.table, out);
    try out.uvarint(count);
    try writeAscending(table, out);
    try head(.offsets, out);
    try out.svarint(0);
    try out.planes(places, wire.byteWidth(count - 1));
    contest.offer();
}

fn smaller(numbers: []i64, one: u32, other: u32) bool {
    return numbers[one] < numbers[other];
}

fn writeAscending(numbers: []const i64, out: *Writer) Fault!void {
    const low = numbers[0];
    const high = numbers[numbers.len - 1];
    if (spread(low, high) > std.math.maxInt(i64)) return writeOffsets(numbers, low, high, out);
    try head(.deltas, out);
    try out.svarint(low);
    var unit: Prefix = .{};
    const deltas = try inUnits(try differences(numbers), &unit);
    try out.bytes(unit.bytes());
    try writeZigzags(deltas, out);
}

/// Lengths of runs of equal numbers, then the number of each run. The numbers are not all equal.
fn offerRuns(numbers: []const i64, prefix: []const u8, contest: *Contest) Fault!void {
    const before = arena.mark();
    defer arena.release(before);
    const lengths = try arena.take(i64, numbers.len);
    const heads = try arena.take(i64, numbers.len);
    var count: usize = 0;
    for (numbers, 0..) |number, place| {
        if (place == 0 or number != numbers[place - 1]) {
            heads[count] = number;
            lengths[count] = 0;
            count += 1;
        }
        lengths[count - 1] += 1;
    }
    const out = try contest.begin(prefix);
    try head(.runs, out);
    try out.uvarint(count);
    const shortest, const longest = extremes(lengths[0..count]);
    if (shortest == longest) {
        try writeConstant(shortest, out);
    } else {
        try writeOffsets(lengths[0..count], shortest, longest, out);
    }
    var inner = try Contest.init(room(count));
    const low, const high = extremes(heads[0..count]);
    try offerShapes(heads[0..count], low, high, false, &inner);
    try out.bytes(inner.best.written());
    contest.offer();
}

/// The greatest number that divides all of them goes into the prefix if it is over 1; what is left.
fn inUnits(numbers: []const i64, prefix: *Prefix) Fault![]const i64 {
    const unit = commonUnit(numbers);
    if (unit <= 1) return numbers;
    var out = prefix.writer();
    try head(.unit, &out);
    try out.uvarint(unit);
    prefix.size = out.at;
    const parts = try arena.take(i64, numbers.len);
    for (parts, numbers) |*part, number| {
        const size: i64 = @bitCast(@abs(number) / unit);
        part.* = if (number < 0) 0 -% size else size;
    }
    return parts;
}

/// The greatest number that divides all of them; 0 where all are 0.
fn commonUnit(numbers: []const i64) u64 {
    var unit: u64 = 0;
    for (numbers) |number| {
        var rest: u64 = @abs(number);
        if (unit != 0 and rest % unit == 0) continue;
        while (rest != 0) {
            const after = if (unit == 0) 0 else unit % rest;
            unit = rest;
            rest = after;
        }
        if (unit == 1) break;
    }
    return unit;
}

fn writeFirst(number: i64, prefix: *Prefix) Fault!void {
    var out = prefix.writer();
    try head(.deltas, &out);
    try out.svarint(number);
    prefix.size = out.at;
}

fn head(shape: Shape, out: *Writer) Fault!void {
    try out.byte(@backingInt(shape));
}

fn writeConstant(number: i64, out: *Writer) Fault!void {
    try head(.constant, out);
    try out.svarint(number);
}

fn writeOffsets(numbers: []const i64, low: i64, high: i64, out: *Writer) Fault!void {
    const before = arena.mark();
    defer arena.release(before);
    try head(.offsets, out);
    try out.svarint(low);
    try out.planes(try above(numbers, low), wire.byteWidth(spread(low, high)));
}

fn writeZigzags(numbers: []const i64, out: *Writer) Fault!void {
    const before = arena.mark();
    defer arena.release(before);
    const codes = try arena.take(u64, numbers.len);
    var all: u64 = 0;
    for (codes, numbers) |*code, number| {
        code.* = wire.zigzag(number);
        all |= code.*;
    }
    try head(.zigzag, out);
    try out.planes(codes, wire.byteWidth(all));
}

fn above(numbers: []const i64, low: i64) Fault![]u64 {
    const found = try arena.take(u64, numbers.len);
    for (found, numbers) |*one, number| one.* = @bitCast(number -% low);
    return found;
}

/// What each number adds to the one before. Their spread is at most 2^63 - 1.
fn differences(numbers: []const i64) Fault![]i64 {
    const deltas = try arena.take(i64, numbers.len - 1);
    for (deltas, numbers[0 .. numbers.len - 1], numbers[1..]) |*delta, one, after| delta.* = after - one;
    return deltas;
}

fn zeros(numbers: []const i64) usize {
    var count: usize = 0;
    for (numbers) |number| count += @intFromBool(number == 0);
    return count;
}

fn spread(low: i64, high: i64) u64 {
    return @bitCast(high -% low);
}

fn extremes(numbers: []const i64) struct { i64, i64 } {
    var low = numbers[0];
    var high = numbers[0];
    for (numbers) |number| {
        low = @min(low, number);
        high = @max(high, number);
    }
    return .{ low, high };
}
