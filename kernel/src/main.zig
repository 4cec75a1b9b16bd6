//! The kernel's exports: bytes in, bytes out, one call for many samples.
//!
//! A caller resets the kernel, brings in pieces (a segment's columns, or columns as bytes), settles them into one,
//! and takes it out as bytes, text or a segment's columns. Everything lives in the arena until the next reset.
//! The order of calls, and the numbers of faults: `docs/formats/columns.md`.

const std = @import("std");
const arena = @import("arena.zig");
const bucketing = @import("bucketing.zig");
const columns = @import("columns.zig");
const faults = @import("faults.zig");
const segment = @import("segment.zig");
const segment_writing = @import("segment_writing.zig");
const settling = @import("settle.zig");
const text_writing = @import("text.zig");

/// A fault of our own stops the instance; the caller throws it away. No message: there is nobody to print it.
pub const panic = std.debug.no_panic;

/// Of this interface. A caller that expects another refuses the module.
const interface_version = 1;

var first: ?*settling.Piece = null;
var last: ?*settling.Piece = null;
var reserved: ?columns.Columns = null;
var input: []align(8) u8 = &.{};

/// Below this all is kept, until the next reset; above it lie the reserved bytes, up to `above_input`, then the result.
var kept: usize = 0;
var above_input: usize = 0;

var settled: ?columns.Columns = null;
var result: []const u8 = &.{};

export fn version() u32 {
    return interface_version;
}

/// Forget everything. Addresses that were handed out are void.
export fn reset() void {
    arena.reset();
    keepAll();
    first = null;
    last = null;
    reserved = null;
    input = &.{};
    settled = null;
    result = &.{};
}

/// Everything that was taken until now is kept.
fn keepAll() void {
    kept = arena.mark();
    above_input = kept;
    input = &.{};
}

/// Make room for a piece of so many samples (0: of what an image says of itself) and for so many bytes that the
/// caller then writes; their address, or 0 where there is no room. The result before, and what was reserved, are void.
export fn reserve(samples: u32, bytes: u32) u32 {
    reserved = null;
    result = &.{};
    arena.release(kept);
    if (samples != 0) reserved = columns.allocate(samples, 0) catch return 0;
    const room = arena.take(u64, @as(usize, bytes) / 8 + 1) catch return 0;
    input = @as([]align(8) u8, @ptrCast(room))[0..bytes];
    above_input = arena.mark();
    return @intCast(@intFromPtr(input.ptr));
}

/// Read the reserved bytes as the columns of a segment, and add what is of the wanted days as a piece.
export fn decode(origin_ms: i64, days: u32, covered: u32, wanted: u32) u32 {
    const into = reserved orelse return faults.number(error.Misuse);
    reserved = null;
    const asked: segment.Days = .{ .origin_ms = origin_ms, .count = days, .covered = covered, .wanted = wanted };
    return status(add(segment.decode(input, into, asked)));
}

/// Add the reserved bytes, which are columns, as a piece.
export fn load() u32 {
    return status(add(columns.load(input)));
}

fn add(found: faults.Fault!columns.Columns) faults.Fault!void {
    const piece = &(try arena.take(settling.Piece, 1))[0];
    piece.* = .{ .columns = try found };
    if (last) |before| before.next = piece else first = piece;
    last = piece;
    settled = null;
    keepAll();
}

/// Put the pieces together: in order, later ones win, cut to the half-open range.
export fn settle(start_ms: i64, end_ms: i64) u32 {
    return status(settleAll(start_ms, end_ms));
}

fn settleAll(start_ms: i64, end_ms: i64) faults.Fault!void {
    const found = try settling.settle(first, start_ms, end_ms);
    const piece = &(try arena.take(settling.Piece, 1))[0];
    piece.* = .{ .columns = found };
    first = piece;
    last = piece;
    settled = found;
    keepAll();
}

/// Samples that were settled.
export fn count() u32 {
    return if (settled) |found| @intCast(found.times.len) else 0;
}

/// The settled samples as bytes, which are the result.
export fn save() u32 {
    const found = settled orelse return faults.number(error.Misuse);
    clearResult();
    return status(keep(columns.save(&found)));
}

/// The text of settled samples from one place to before another, which is the result. The reserved bytes are what a
/// line begins with.
export fn write(format: u32, from: u32, to: u32) u32 {
    clearResult();
    return status(keep(writePart(format, from, to)));
}

fn writePart(format: u32, from: u32, to: u32) faults.Fault![]u8 {
    if (format > text_writing.Format.last) return error.Misuse;
    return text_writing.write(&(try part(from, to)), @fromBackingInt(@intCast(format)), input);
}

/// Whether a text among the settled samples from one place to before another holds half of a surrogate pair: 0 or 1;
/// 2 where there are no such samples.
export fn surrogates(from: u32, to: u32) u32 {
    clearResult();
    const found = part(from, to) catch return 2;
    return @intFromBool(text_writing.hasSurrogates(&found));
}

/// The columns of a segment of settled samples from one place to before another, which are the result.
export fn encode(origin_ms: i64, from: u32, to: u32) u32 {
    clearResult();
    return status(keep(encodePart(origin_ms, from, to)));
}

fn encodePart(origin_ms: i64, from: u32, to: u32) faults.Fault![]u8 {
    const found = try part(from, to);
    return segment_writing.encode(&found, origin_ms);
}

/// Settled samples cut into buckets: the reserved bytes say how, and what is known of those before. The result holds
/// what is known then, and the columns that came out.
export fn bucket() u32 {
    clearResult();
    return status(keep(bucketAll()));
}

fn bucketAll() faults.Fault![]u8 {
    const found = settled orelse return error.Misuse;
    return bucketing.fold(&found, input);
}

/// Some of the settled samples, with places of their own.
fn part(from: u32, to: u32) faults.Fault!columns.Columns {
    const found = settled orelse return error.Misuse;
    if (from > to or to > found.times.len) return error.Misuse;
    if (from == 0 and to == found.times.len) return found;
    const low = columns.placesBefore(found.places, from);
    const high = columns.placesBefore(found.places, to);
    const places = try arena.take(u32, high - low);
    for (places, found.places[low..high]) |*place, old| place.* = old - from;
    return .{
        .times = found.times[from..to],
        .values = found.values[from..to],
        .places = places,
        .kinds = found.kinds[low..high],
        .payloads = found.payloads[low..high],
        .table = found.table,
    };
}

export fn resultAt() u32 {
    return @intCast(@intFromPtr(result.ptr));
}

export fn resultSize() u32 {
    return @intCast(result.len);
}

fn clearResult() void {
    result = &.{};
    arena.release(above_input);
}

fn keep(found: faults.Fault![]u8) faults.Fault!void {
    result = try found;
}

fn status(outcome: faults.Fault!void) u32 {
    outcome catch |fault| return faults.number(fault);
    return 0;
}
