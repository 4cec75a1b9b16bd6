//! Columns of 64-bit integers, written in shapes that a plan names: the same bytes as Python's coding.
//!
//! A plan is what is left of a column when its numbers are taken out: the shape's byte, then the plans of the columns
//! in it. Everything else (lowest number, width, unit, table) follows from the numbers. Which plan is small is for
//! the caller to say; one that does not fit the numbers is `Unfit`.

const std = @import("std");
const arena = @import("arena.zig");
const Fault = @import("faults.zig").Fault;
const integers = @import("integers.zig");
const wire = @import("wire.zig");

/// Write `numbers` as the plan has it. Columns of none are no bytes, and have no plan.
pub fn encode(plan: *wire.Reader, numbers: []const i64, out: *wire.Writer) Fault!void {
    return nested(plan, numbers, out, 0);
}

fn nested(plan: *wire.Reader, numbers: []const i64, out: *wire.Writer, depth: u32) Fault!void {
    if (numbers.len == 0) return;
    if (depth >= integers.max_depth) return error.Unfit;
    const code = plan.byte() catch return error.Misuse;
    if (code > @backingInt(integers.Shape.runs)) return error.Misuse;
    const before = arena.mark();
    defer arena.release(before);
    try out.byte(code);
    switch (@as(integers.Shape, @fromBackingInt(@intCast(code)))) {
        .constant => {
            const low, const high = extremes(numbers);
            if (low != high) return error.Unfit;
            try out.svarint(low);
        },
        .offsets => {
            const above, const low, const largest = try offsets(numbers);
            try out.svarint(low);
            try out.planes(above, wire.byteWidth(largest));
        },
        .zigzag => {
            const codes = try arena.take(u64, numbers.len);
            var largest: u64 = 0;
            for (codes, numbers) |*one, number| {
                one.* = wire.zigzag(number);
                largest = @max(largest, one.*);
            }
            try out.planes(codes, wire.byteWidth(largest));
        },
        .bits => {
            const above, const low, const largest = try offsets(numbers);
            if (largest > 1) return error.Unfit;
            try out.svarint(low);
            try out.bitmap(above);
        },
        .deltas => {
            try out.svarint(numbers[0]);
            const deltas = try arena.take(i64, numbers.len - 1);
            for (deltas, numbers[0 .. numbers.len - 1], numbers[1..]) |*delta, one, after| {
                delta.*, const over = @subWithOverflow(after, one);
                if (over != 0) return error.Unfit;
            }
            try nested(plan, deltas, out, depth + 1);
        },
        .unit => {
            const unit = commonUnit(numbers);
            if (unit == 0) return error.Unfit;
            try out.uvarint(unit);
            const parts = try arena.take(i64, numbers.len);
            for (parts, numbers) |*part, number| {
                const size: i64 = @bitCast(@abs(number) / unit);
                part.* = if (number < 0) 0 -% size else size;
            }
            try nested(plan, parts, out, depth + 1);
        },
        .table => try writeTable(plan, numbers, out, depth + 1),
        .runs => try writeRuns(plan, numbers, out, depth + 1),
    }
}

pub fn extremes(numbers: []const i64) struct { i64, i64 } {
    var low = numbers[0];
    var high = numbers[0];
    for (numbers) |number| {
        low = @min(low, number);
        high = @max(high, number);
    }
    return .{ low, high };
}

/// How far each number is above the lowest, which is the lowest, and the largest such distance.
fn offsets(numbers: []const i64) Fault!struct { []u64, i64, u64 } {
    const low, const high = extremes(numbers);
    const above = try arena.take(u64, numbers.len);
    for (above, numbers) |*one, number| one.* = @bitCast(number -% low);
    return .{ above, low, @bitCast(high -% low) };
}

/// The greatest number that divides all of them; 0 where all are 0.
fn commonUnit(numbers: []const i64) u64 {
    var unit: u64 = 0;
    for (numbers) |number| {
        var rest: u64 = @abs(number);
        while (rest != 0) {
            const after = if (unit == 0) 0 else unit % rest;
            if (unit == 0) {
                unit = rest;
                rest = 0;
            } else {
                unit = rest;
                rest = after;
            }
        }
        if (unit == 1) break;
    }
    return unit;
}

fn writeTable(plan: *wire.Reader, numbers: []const i64, out: *wire.Writer, depth: u32) Fault!void {
    const ascending = try arena.take(i64, numbers.len);
    @memcpy(ascending, numbers);
    std.mem.sortUnstable(i64, ascending, {}, std.sort.asc(i64));
    var count: usize = 1;
    for (ascending[1..]) |number| {
        if (number == ascending[count - 1]) continue;
        ascending[count] = number;
        count += 1;
    }
    if (count > integers.max_table) return error.Unfit;
    const table = ascending[0..count];
    const places = try arena.take(i64, numbers.len);
    for (places, numbers) |*place, number| place.* = @intCast(std.sort.lowerBound(i64, table, number, compared));
    try out.uvarint(count);
    try nested(plan, table, out, depth);
    try nested(plan, places, out, depth);
}

fn compared(wanted: i64, number: i64) std.math.Order {
    return std.math.order(wanted, number);
}

fn writeRuns(plan: *wire.Reader, numbers: []const i64, out: *wire.Writer, depth: u32) Fault!void {
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
    try out.uvarint(count);
    try nested(plan, lengths[0..count], out, depth);
    try nested(plan, heads[0..count], out, depth);
}
