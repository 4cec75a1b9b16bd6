//! A segment's columns, read: times, then values of any kind, and the days that they must lie in.

const arena = @import("arena.zig");
const columns = @import("columns.zig");
const Fault = @import("faults.zig").Fault;
const floats = @import("floats.zig");
const integers = @import("integers.zig");
const Reader = @import("wire.zig").Reader;
const utf8 = @import("utf8.zig");

const Columns = columns.Columns;
const Kind = columns.Kind;

const day_ms = 86_400_000;

/// What a block says of a segment. Days are counted from the segment's first, as bits: `covered` are those of the
/// block, `wanted` those to be kept.
pub const Days = struct { origin_ms: i64, count: u32, covered: u32, wanted: u32 };

/// Read a segment into columns of as many samples as it holds; what is returned may be fewer, of wanted days.
pub fn decode(data: []const u8, into: Columns, days: Days) Fault!Columns {
    if (into.times.len == 0 or days.count == 0 or days.count > 32) return error.Misuse;
    var reader: Reader = .{ .data = data };
    try integers.decode(&reader, into.times);
    try checkTimes(into.times, days);
    for (into.times) |*time| time.* += days.origin_ms;
    const found = try decodeValues(&reader, into);
    try reader.end();
    return ofDays(found, days);
}

/// Times are still counted from the first day.
fn checkTimes(offsets: []const i64, days: Days) Fault!void {
    const span_ms = @as(i64, days.count) * day_ms;
    var before: i64 = -1;
    for (offsets) |offset| {
        if (offset <= before) return error.OutOfOrder;
        before = offset;
    }
    if (before >= span_ms) return error.OutOfOrder;
    if (offsets[0] >= day_ms or before < span_ms - day_ms) return error.OtherDays;
    var at: usize = 0;
    while (at < offsets.len) {
        const day = @divTrunc(offsets[at], day_ms);
        if (days.covered >> @intCast(day) & 1 == 0) return error.UncoveredDay;
        const after = (day + 1) * day_ms;
        while (at < offsets.len and offsets[at] < after) at += 1;
    }
}

/// Only the wanted days.
fn ofDays(found: Columns, days: Days) Columns {
    const every: u32 = if (days.count == 32) 0xffff_ffff else (@as(u32, 1) << @intCast(days.count)) - 1;
    if (days.wanted & every == every) return found;
    var kept: usize = 0;
    var exceptions: usize = 0;
    for (0..days.count) |day| {
        if (days.wanted >> @intCast(day) & 1 == 0) continue;
        const start_ms = days.origin_ms + @as(i64, @intCast(day)) * day_ms;
        const first = found.before(start_ms);
        const last = found.before(start_ms + day_ms);
        // Times of days that were moved already are earlier than those of any later day: the search stays right.
        const from = columns.placesBefore(found.places, first);
        const to = columns.placesBefore(found.places, last);
        for (from..to) |at| {
            found.places[exceptions] = @intCast(found.places[at] - first + kept);
            found.kinds[exceptions] = found.kinds[at];
            found.payloads[exceptions] = found.payloads[at];
            exceptions += 1;
        }
        for (first..last) |at| {
            found.times[kept] = found.times[at];
            found.values[kept] = found.values[at];
            kept += 1;
        }
    }
    return .{
        .times = found.times[0..kept],
        .values = found.values[0..kept],
        .places = found.places[0..exceptions],
        .kinds = found.kinds[0..exceptions],
        .payloads = found.payloads[0..exceptions],
        .table = found.table,
    };
}

fn decodeValues(reader: *Reader, into: Columns) Fault!Columns {
    const mask = try reader.byte();
    if (mask == 0 or mask >> columns.kind_count != 0) return error.UnknownKind;
    if (mask == 1 << @backingInt(Kind.float)) {
        // The rule, and nothing that is taken beside it stays.
        const before = arena.mark();
        defer arena.release(before);
        try floats.decode(reader, into.values);
        return into;
    }
    const counts = try decodeKinds(reader, into, mask);
    const codes: []const Kind = counts.codes;
    var found = into;
    const exceptions = into.times.len - counts.of[0];
    found.places = try arena.take(u32, exceptions);
    found.kinds = try arena.take(Kind, exceptions);
    found.payloads = try arena.take(i64, exceptions);
    var at: usize = 0;
    for (codes, 0..) |kind, place| {
        if (kind == .float) continue;
        found.places[at] = @intCast(place);
        found.kinds[at] = kind;
        at += 1;
    }
    if (counts.of[0] != 0) try scatterFloats(reader, found.values, codes, counts.of[0]);
    for (found.places) |place| found.values[place] = columns.filler;
    for (1..columns.kind_count) |kind| {
        if (counts.of[kind] != 0) try readKind(reader, &found, @fromBackingInt(@intCast(kind)), counts.of[kind]);
    }
    return found;
}

const Kinds = struct { codes: []Kind, of: [columns.kind_count]usize };

/// The kind of each sample, and how many there are of each. The values' place serves as scratch.
fn decodeKinds(reader: *Reader, into: Columns, mask: u8) Fault!Kinds {
    const codes = try arena.take(Kind, into.times.len);
    var of: [columns.kind_count]usize = @splat(0);
    if (mask & (mask - 1) == 0) {
        const only: u3 = @intCast(@ctz(mask));
        @memset(codes, @fromBackingInt(@intCast(only)));
        of[only] = codes.len;
        return .{ .codes = codes, .of = of };
    }
    const numbers: []i64 = @ptrCast(into.values);
    try integers.decode(reader, numbers);
    for (codes, numbers) |*code, number| {
        if (number < 0 or number >= columns.kind_count) return error.OtherKinds;
        code.* = @fromBackingInt(@intCast(number));
        of[@intCast(number)] += 1;
    }
    for (of, 0..) |count, kind| {
        if ((count != 0) != (mask >> @intCast(kind) & 1 != 0)) return error.OtherKinds;
    }
    return .{ .codes = codes, .of = of };
}

fn scatterFloats(reader: *Reader, values: []u64, codes: []const Kind, count: usize) Fault!void {
    const before = arena.mark();
    defer arena.release(before);
    const column = try arena.take(u64, count);
    try floats.decode(reader, column);
    var at: usize = 0;
    for (codes, values) |kind, *value| {
        if (kind != .float) continue;
        value.* = column[at];
        at += 1;
    }
}

fn readKind(reader: *Reader, found: *Columns, kind: Kind, count: usize) Fault!void {
    if (kind == .null) return scatter(found, kind, null);
    if (kind == .text or kind == .long) return readBlobs(reader, found, kind, count);
    const column = try arena.take(i64, count);
    try integers.decode(reader, column);
    if (kind == .bool) for (column) |one| if (one != 0 and one != 1) return error.NeitherTrueNorFalse;
    scatter(found, kind, column);
}

fn scatter(found: *Columns, kind: Kind, column: ?[]const i64) void {
    var at: usize = 0;
    for (found.kinds, found.payloads) |one, *payload| {
        if (one != kind) continue;
        payload.* = if (column) |numbers| numbers[at] else 0;
        at += 1;
    }
}

/// Distinct byte strings and the place of each value's. They are put behind those that the table has already.
fn readBlobs(reader: *Reader, found: *Columns, kind: Kind, count: usize) Fault!void {
    const size = try reader.count(count);
    if (size == 0) return error.ImpossibleLength;
    const lengths = try arena.take(i64, size);
    try integers.decode(reader, lengths);
    var total: u64 = 0;
    for (lengths) |length| {
        if (length < 0) return error.ImpossibleLength;
        total +|= @intCast(length);
    }
    const joined = try reader.take(total);
    const known = found.table;
    const ends = try arena.take(u32, known.ends.len + size);
    const bytes = try arena.take(u8, known.bytes.len + joined.len);
    @memcpy(ends[0..known.ends.len], known.ends);
    @memcpy(bytes[0..known.bytes.len], known.bytes);
    @memcpy(bytes[known.bytes.len..], joined);
    var end: u32 = @intCast(known.bytes.len);
    for (lengths, ends[known.ends.len..]) |length, *one| {
        end += @intCast(length);
        one.* = end;
    }
    found.table = .{ .ends = ends, .bytes = bytes };
    if (kind == .text) for (known.ends.len..ends.len) |code| {
        if (!utf8.sound(found.table.get(code))) return error.NotUtf8;
    };
    const places = try arena.take(i64, count);
    try integers.decode(reader, places);
    for (places) |*place| {
        if (place.* < 0 or place.* >= size) return error.BeyondTexts;
        place.* += @intCast(known.ends.len);
    }
    scatter(found, kind, places);
    if (kind == .long) shortened(found);
}

/// A longer int that fits into 64 bits is an int: its payload is the number.
fn shortened(found: *Columns) void {
    for (found.kinds, found.payloads) |*kind, *payload| {
        if (kind.* != .long) continue;
        const blob = found.table.get(@intCast(payload.*));
        const negative = blob.len != 0 and blob[blob.len - 1] & 0x80 != 0;
        const sign: u8 = if (negative) 0xff else 0;
        var number: u64 = if (negative) 0xffff_ffff_ffff_ffff else 0;
        var fits = true;
        for (blob, 0..) |byte, at| {
            if (at < 8) {
                const shift: u6 = @intCast(8 * at);
                number = number & ~(@as(u64, 0xff) << shift) | @as(u64, byte) << shift;
            } else if (byte != sign) fits = false;
        }
        if (!fits or (@as(i64, @bitCast(number)) < 0) != negative) continue;
        kind.* = .int;
        payload.* = @bitCast(number);
    }
}
