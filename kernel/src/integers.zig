//! Columns of 64-bit integers, read: the eight shapes of `docs/formats/block.md`.
//!
//! A column is decoded where it is to stand; only tables and runs take memory beside it.

const arena = @import("arena.zig");
const Fault = @import("faults.zig").Fault;
const Reader = @import("wire.zig").Reader;
const wire = @import("wire.zig");

pub const max_depth = 10;
pub const max_table = 65_536;

pub const Shape = enum(u8) { constant, offsets, zigzag, bits, deltas, unit, table, runs };

/// Fill `out` with a column of as many integers.
pub fn decode(reader: *Reader, out: []i64) Fault!void {
    return nested(reader, out, 0);
}

fn nested(reader: *Reader, out: []i64, depth: u32) Fault!void {
    if (out.len == 0) return;
    if (depth >= max_depth) return error.NestsTooDeep;
    const code = try reader.byte();
    if (code > @backingInt(Shape.runs)) return error.UnknownShape;
    switch (@as(Shape, @fromBackingInt(@intCast(code)))) {
        .constant => @memset(out, try reader.svarint()),
        .offsets => try readOffsets(reader, out),
        .zigzag => {
            const codes: []u64 = @ptrCast(out);
            _ = try reader.planes(codes);
            for (out, codes) |*cell, one| cell.* = wire.unzigzag(one);
        },
        .bits => {
            const low = try reader.svarint();
            try reader.bits(out);
            for (out) |*cell| cell.* = try sum(low, cell.*);
        },
        .deltas => {
            out[0] = try reader.svarint();
            try nested(reader, out[1..], depth + 1);
            try accumulate(out);
        },
        .unit => {
            const unit = try reader.uvarint();
            try nested(reader, out, depth + 1);
            for (out) |*cell| cell.* = try product(unit, cell.*);
        },
        .table => try readTable(reader, out, depth + 1),
        .runs => try readRuns(reader, out, depth + 1),
    }
}

fn readOffsets(reader: *Reader, out: []i64) Fault!void {
    const low = try reader.svarint();
    const above: []u64 = @ptrCast(out);
    const width = try reader.planes(above);
    if (low == 0 and width < 8) return;
    for (out, above) |*cell, one| {
        // In wrapping arithmetic a number over 2^63 - 1, and no other, comes out below `low`.
        const number: i64 = low +% @as(i64, @bitCast(one));
        if (number < low) return error.Over64Bits;
        cell.* = number;
    }
}

fn accumulate(out: []i64) Fault!void {
    var last = out[0];
    for (out[1..]) |*cell| {
        last = try sum(last, cell.*);
        cell.* = last;
    }
}

fn readTable(reader: *Reader, out: []i64, depth: u32) Fault!void {
    const size = try reader.count(@min(out.len, max_table));
    const before = arena.mark();
    defer arena.release(before);
    const table = try arena.take(i64, size);
    try nested(reader, table, depth);
    try nested(reader, out, depth);
    for (out) |*cell| {
        if (cell.* < 0 or cell.* >= table.len) return error.BeyondTable;
        cell.* = table[@intCast(cell.*)];
    }
}

fn readRuns(reader: *Reader, out: []i64, depth: u32) Fault!void {
    const count = try reader.count(out.len);
    const before = arena.mark();
    defer arena.release(before);
    const lengths = try arena.take(i64, count);
    const heads = try arena.take(i64, count);
    try nested(reader, lengths, depth);
    try nested(reader, heads, depth);
    var at: usize = 0;
    for (lengths, heads) |length, head| {
        if (length < 1 or length > out.len - at) return error.RunsDoNotAddUp;
        @memset(out[at..][0..@intCast(length)], head);
        at += @intCast(length);
    }
    if (at != out.len) return error.RunsDoNotAddUp;
}

fn sum(one: i64, other: i64) Fault!i64 {
    const added, const over = @addWithOverflow(one, other);
    if (over != 0) return error.Over64Bits;
    return added;
}

fn product(unit: u64, number: i64) Fault!i64 {
    if (unit <= 0x7fff_ffff_ffff_ffff) {
        const multiplied, const over = @mulWithOverflow(@as(i64, @intCast(unit)), number);
        if (over != 0) return error.Over64Bits;
        return multiplied;
    }
    // Twice 2^62 or more: nothing but 0, and the lowest number of all, is left.
    if (number == 0) return 0;
    if (number == -1 and unit == 1 << 63) return -0x8000_0000_0000_0000;
    return error.Over64Bits;
}
