//! A segment's columns, written: times from an origin, then values of any kind, each column in its lightest form.

const arena = @import("arena.zig");
const columns = @import("columns.zig");
const Fault = @import("faults.zig").Fault;
const float_shapes = @import("float_shapes.zig");
const integer_shapes = @import("integer_shapes.zig");
const wire = @import("wire.zig");

const Columns = columns.Columns;
const Kind = columns.Kind;

const none: u32 = 0xffff_ffff;

/// Bytes beside the columns': the mask of kinds, counts of texts.
const spare_bytes = 64;

/// The columns of at least one sample, uncompressed.
pub fn encode(found: *const Columns, origin_ms: i64) Fault![]u8 {
    const count = found.times.len;
    if (count == 0) return error.Misuse;
    // Times, kinds, floats (four columns at most), and of what is no float lengths and places or the numbers themselves.
    const room = 6 * integer_shapes.room(count) + 4 * integer_shapes.room(found.places.len) + found.table.bytes.len + spare_bytes;
    var out: wire.Writer = .{ .data = try arena.take(u8, room) };
    const before = arena.mark();
    defer arena.release(before);
    const offsets = try arena.take(i64, count);
    for (offsets, found.times) |*offset, time| {
        offset.*, const over = @subWithOverflow(time, origin_ms);
        if (over != 0) return error.Misuse;
    }
    _ = try integer_shapes.encode(offsets, &out);
    try encodeValues(found, &out);
    return out.written();
}

fn encodeValues(found: *const Columns, out: *wire.Writer) Fault!void {
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
        _ = try integer_shapes.encode(codes, out);
    }
    if (of[0] != 0) _ = try float_shapes.encode(try plainFloats(found, of[0]), out);
    for (1..columns.kind_count) |at| {
        const kind: Kind = @fromBackingInt(@intCast(at));
        if (of[at] == 0 or kind == .null) continue;
        const payloads = try payloadsOf(found, kind, of[at]);
        if (kind == .text or kind == .long) try writeBlobs(found, payloads, out) else _ = try integer_shapes.encode(payloads, out);
    }
}

/// The floats by their bits, without what stands where exceptions are.
fn plainFloats(found: *const Columns, count: usize) Fault![]const i64 {
    if (found.places.len == 0) return @ptrCast(found.values);
    const floats = try arena.take(i64, count);
    var exception: usize = 0;
    var at: usize = 0;
    for (found.values, 0..) |value, place| {
        if (exception < found.places.len and found.places[exception] == place) {
            exception += 1;
            continue;
        }
        floats[at] = @bitCast(value);
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
fn writeBlobs(found: *const Columns, payloads: []i64, out: *wire.Writer) Fault!void {
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
    _ = try integer_shapes.encode(lengths[0..count], out);
    for (codes[0..count]) |code| try out.bytes(found.table.get(code));
    _ = try integer_shapes.encode(payloads, out);
}
