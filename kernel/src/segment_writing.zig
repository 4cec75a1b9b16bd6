//! A segment's columns, written as a plan has it: times from an origin, then values of any kind.

const arena = @import("arena.zig");
const columns = @import("columns.zig");
const Fault = @import("faults.zig").Fault;
const float_writing = @import("float_writing.zig");
const integer_writing = @import("integer_writing.zig");
const wire = @import("wire.zig");

const Columns = columns.Columns;
const Kind = columns.Kind;

const none: u32 = 0xffff_ffff;

/// Bytes that a sample takes at most, all columns of all kinds, before the table: shapes that double what they
/// hold are refused when they come to more.
const sample_bytes = 64;
const spare_bytes = 1024;

/// The columns of at least one sample, uncompressed.
pub fn encode(found: *const Columns, origin_ms: i64, plan_bytes: []const u8) Fault![]u8 {
    if (found.times.len == 0) return error.Misuse;
    const room = @as(u64, found.times.len) * sample_bytes + found.table.bytes.len + spare_bytes;
    if (room > 0x7fff_ffff) return error.NoRoom;
    var out: wire.Writer = .{ .data = try arena.take(u8, @intCast(room)) };
    var plan: wire.Reader = .{ .data = plan_bytes };
    const offsets = try arena.take(i64, found.times.len);
    for (offsets, found.times) |*offset, time| {
        offset.*, const over = @subWithOverflow(time, origin_ms);
        if (over != 0) return error.Misuse;
    }
    try integer_writing.encode(&plan, offsets, &out);
    try encodeValues(&plan, found, &out);
    plan.end() catch return error.Misuse;
    return out.written();
}

fn encodeValues(plan: *wire.Reader, found: *const Columns, out: *wire.Writer) Fault!void {
    var of: [columns.kind_count]usize = @splat(0);
    of[0] = found.times.len - found.places.len;
    for (found.kinds) |kind| of[@backingInt(kind)] += 1;
    var mask: u8 = 0;
    for (of, 0..) |count, kind| {
        if (count != 0) mask |= @as(u8, 1) << @intCast(kind);
    }
    try out.byte(mask);
    if (mask & (mask - 1) != 0) {
        const codes = try arena.take(i64, found.times.len);
        @memset(codes, 0);
        for (found.places, found.kinds) |place, kind| codes[place] = @backingInt(kind);
        try integer_writing.encode(plan, codes, out);
    }
    if (of[0] != 0) try float_writing.encode(plan, try plainFloats(found, of[0]), out);
    for (1..columns.kind_count) |at| {
        const kind: Kind = @fromBackingInt(@intCast(at));
        if (of[at] == 0 or kind == .null) continue;
        const payloads = try payloadsOf(found, kind, of[at]);
        if (kind == .text or kind == .long) try writeBlobs(plan, found, payloads, out) else try integer_writing.encode(plan, payloads, out);
    }
}

fn plainFloats(found: *const Columns, count: usize) Fault![]const u64 {
    if (found.places.len == 0) return found.values;
    const floats = try arena.take(u64, count);
    var exception: usize = 0;
    var at: usize = 0;
    for (found.values, 0..) |value, place| {
        if (exception < found.places.len and found.places[exception] == place) {
            exception += 1;
            continue;
        }
        floats[at] = value;
        at += 1;
    }
    return floats;
}

fn payloadsOf(found: *const Columns, kind: Kind, count: usize) Fault![]i64 {
    const payloads = try arena.take(i64, count);
    var at: usize = 0;
    for (found.kinds, found.payloads) |one, payload| {
        if (one != kind) continue;
        payloads[at] = payload;
        at += 1;
    }
    return payloads;
}

/// The distinct byte strings of one kind in order of appearance: their lengths, all of them, and places.
fn writeBlobs(plan: *wire.Reader, found: *const Columns, payloads: []i64, out: *wire.Writer) Fault!void {
    const place_of = try arena.take(u32, found.table.ends.len);
    @memset(place_of, none);
    const lengths = try arena.take(i64, found.table.ends.len);
    const codes = try arena.take(u32, found.table.ends.len);
    var count: u32 = 0;
    for (payloads) |*payload| {
        const code: u32 = @intCast(payload.*);
        if (place_of[code] == none) {
            place_of[code] = count;
            codes[count] = code;
            lengths[count] = @intCast(found.table.get(code).len);
            count += 1;
        }
        payload.* = place_of[code];
    }
    try out.uvarint(count);
    try integer_writing.encode(plan, lengths[0..count], out);
    for (codes[0..count]) |code| try out.bytes(found.table.get(code));
    try integer_writing.encode(plan, payloads, out);
}
