//! Samples as JSON, NDJSON and CSV, and their instants and values apart, the same text as the Python writers make.
//!
//! Room for the longest text is taken first, so that nothing is measured while it is written.

const arena = @import("arena.zig");
const columns = @import("columns.zig");
const Fault = @import("faults.zig").Fault;
const Instants = @import("instants.zig").Instants;
const instants = @import("instants.zig");
const numbers = @import("numbers.zig");
const strings = @import("strings.zig");
const utf8 = @import("utf8.zig");

const Columns = columns.Columns;
const Kind = columns.Kind;

/// Of JSON there are two: UTF-8 as it is, and for documents that hold half of a surrogate pair, which UTF-8
/// cannot hold, everything beyond ASCII as an escape. Values, times (epoch milliseconds) and seconds are one column of
/// the samples as JSON, with commas between.
pub const Format = enum(u32) {
    json = 0,
    json_ascii = 1,
    ndjson = 2,
    csv = 3,
    values = 4,
    values_ascii = 5,
    times = 6,
    seconds = 7,

    pub const last: u32 = 7;
};

const Style = enum { utf8, ascii, csv };

const value_name = "\",\"value\":";
const exponent_bits: u64 = 0x7ff0_0000_0000_0000;

/// Whether a text of these samples holds half of a surrogate pair.
pub fn hasSurrogates(part: *const Columns) bool {
    for (part.kinds, part.payloads) |kind, payload| {
        if (kind == .text and utf8.hasSurrogate(part.table.get(@intCast(payload)))) return true;
    }
    return false;
}

/// The text of some samples. `prefix` is what a line begins with, up to its instant; JSON has none.
pub fn write(part: *const Columns, format: Format, prefix: []const u8) Fault![]u8 {
    var room: u64 = @as(u64, part.times.len) * (prefix.len + frame_bytes);
    for (part.kinds, part.payloads) |kind, payload| switch (kind) {
        .text => room += textBytes(part.table.get(@intCast(payload)).len),
        .long => room += numbers.longBytes(part.table.get(@intCast(payload)).len),
        else => {},
    };
    if (room > 0x7fff_ffff) return error.NoRoom;
    const out = try arena.take(u8, @intCast(room));
    const size = switch (format) {
        .json => try writePairs(part, .utf8, out.ptr),
        .json_ascii => try writePairs(part, .ascii, out.ptr),
        .ndjson => try writeLines(part, .ascii, prefix, value_name, "}\n", out.ptr),
        .csv => try writeLines(part, .csv, prefix, ",", "\r\n", out.ptr),
        .values => try writeValues(part, .utf8, out.ptr),
        .values_ascii => try writeValues(part, .ascii, out.ptr),
        .times => writeTimes(part, false, out.ptr),
        .seconds => writeTimes(part, true, out.ptr),
    };
    return out[0..size];
}

/// What stands around a text of no length: an instant, a number, and the longest of the frames.
const frame_bytes = instants.size_bytes + numbers.max_float_bytes + value_name.len + 2 + 4;

/// A byte becomes six at most: `\u001f`.
fn textBytes(size: usize) usize {
    return 2 + 6 * size;
}

/// `[time,value]`, with commas between.
fn writePairs(part: *const Columns, comptime style: Style, out: [*]u8) Fault!usize {
    @setRuntimeSafety(false);
    var at: usize = 0;
    var exception: usize = 0;
    var guess: u8 = 0;
    var clock: Clock = .{};
    for (part.times, part.values, 0..) |time, value, place| {
        if (at != 0) {
            out[at] = ',';
            at += 1;
        }
        out[at] = '[';
        at += 1;
        at += clock.write(out + at, time);
        out[at] = ',';
        at += 1;
        if (exception < part.places.len and part.places[exception] == place) {
            at += try writeException(part, exception, style, out + at);
            exception += 1;
        } else {
            if (value & exponent_bits == exponent_bits) return error.NotFinite;
            at += numbers.writeFloat(out + at, @bitCast(value), &guess);
        }
        out[at] = ']';
        at += 1;
    }
    return at;
}

/// Values alone, with commas between.
fn writeValues(part: *const Columns, comptime style: Style, out: [*]u8) Fault!usize {
    @setRuntimeSafety(false);
    var at: usize = 0;
    var exception: usize = 0;
    var guess: u8 = 0;
    for (part.values, 0..) |value, place| {
        if (place != 0) {
            out[at] = ',';
            at += 1;
        }
        if (exception < part.places.len and part.places[exception] == place) {
            at += try writeException(part, exception, style, out + at);
            exception += 1;
        } else {
            if (value & exponent_bits == exponent_bits) return error.NotFinite;
            at += numbers.writeFloat(out + at, @bitCast(value), &guess);
        }
    }
    return at;
}

/// Instants alone, with commas between: epoch milliseconds, or seconds, with three decimals where there are
/// milliseconds.
fn writeTimes(part: *const Columns, comptime seconds: bool, out: [*]u8) usize {
    @setRuntimeSafety(false);
    var at: usize = 0;
    var clock: Clock = .{};
    for (part.times, 0..) |time, place| {
        if (place != 0) {
            out[at] = ',';
            at += 1;
        }
        if (!seconds) {
            at += clock.write(out + at, time);
            continue;
        }
        at += numbers.writeInt(out + at, @divFloor(time, 1000));
        const rest: u32 = @intCast(@mod(time, 1000));
        if (rest != 0) {
            out[at] = '.';
            out[at + 1] = '0' + @as(u8, @intCast(rest / 100));
            numbers.writePadded(2, out[at + 2 ..][0..2], rest % 100);
            at += 4;
        }
    }
    return at;
}

/// `<prefix><instant><between><value><end>`.
fn writeLines(
    part: *const Columns,
    comptime style: Style,
    prefix: []const u8,
    comptime between: []const u8,
    comptime end: []const u8,
    out: [*]u8,
) Fault!usize {
    @setRuntimeSafety(false);
    var at: usize = 0;
    var exception: usize = 0;
    var guess: u8 = 0;
    var dates: Instants = .{};
    for (part.times, part.values, 0..) |time, value, place| {
        @memcpy(out[at..][0..prefix.len], prefix);
        at += prefix.len;
        at += try dates.write(out + at, time);
        out[at..][0..between.len].* = between[0..between.len].*;
        at += between.len;
        if (exception < part.places.len and part.places[exception] == place) {
            at += try writeException(part, exception, style, out + at);
            exception += 1;
        } else {
            if (value & exponent_bits == exponent_bits) return error.NotFinite;
            at += numbers.writeFloat(out + at, @bitCast(value), &guess);
        }
        out[at..][0..end.len].* = end[0..end.len].*;
        at += end.len;
    }
    return at;
}

/// Epoch milliseconds. Neighbours share all but their last six digits.
const Clock = struct {
    high: u64 = 0,
    text: [numbers.max_int_bytes]u8 = undefined,
    size: usize = 0,

    fn write(self: *Clock, out: [*]u8, time: i64) usize {
        if (time < 1_000_000) return numbers.writeInt(out, time);
        const number: u64 = @intCast(time);
        const high = number / 1_000_000;
        if (high != self.high) {
            self.high = high;
            self.size = numbers.writeUnsigned(&self.text, high);
        }
        for (self.text[0..self.size], out[0..self.size]) |from, *to| to.* = from;
        numbers.writePadded(6, out[self.size..][0..6], @intCast(number - high * 1_000_000));
        return self.size + 6;
    }
};

fn writeException(part: *const Columns, exception: usize, comptime style: Style, out: [*]u8) Fault!usize {
    const payload = part.payloads[exception];
    switch (part.kinds[exception]) {
        .float => return error.Misuse,
        .null => return if (style == .csv) 0 else literal(out, "null"),
        .bool => return if (payload == 0) literal(out, "false") else literal(out, "true"),
        .int => return numbers.writeInt(out, payload),
        .long => return numbers.writeLong(out, part.table.get(@intCast(payload))),
        .text => {
            const text = part.table.get(@intCast(payload));
            return if (style == .csv) strings.writeField(out, text) else strings.writeString(out, text, style == .ascii);
        },
    }
}

fn literal(out: [*]u8, comptime text: []const u8) usize {
    out[0..text.len].* = text[0..text.len].*;
    return text.len;
}
