//! Columns: samples as they lie in memory, and as bytes that go over the border.
//!
//! An int64 instant and a float64 for each sample, and beside them what is no float: exceptions, each with its
//! place, kind and payload, and a table of byte strings. The page: `docs/formats/columns.md`.

const arena = @import("arena.zig");
const Fault = @import("faults.zig").Fault;
const utf8 = @import("utf8.zig");

pub const Kind = enum(u8) { float, null, bool, text, int, long };

pub const kind_count = 6;

/// Stands where an exception is, so that whoever overlooks the exception gets no plausible number.
pub const filler: u64 = 0x7ff8_0000_0000_0000;

const header_bytes = 16;

pub const Columns = struct {
    times: []i64,
    /// Floats by their bits: no NaN loses its payload.
    values: []u64,
    places: []u32 = &.{},
    kinds: []Kind = &.{},
    payloads: []i64 = &.{},
    table: Table = .{},

    pub fn count(self: *const Columns) usize {
        return self.times.len;
    }

    /// Whether times ascend, none twice.
    pub fn ascends(self: *const Columns) bool {
        if (self.times.len == 0) return true;
        for (self.times[0 .. self.times.len - 1], self.times[1..]) |one, after| {
            if (one >= after) return false;
        }
        return true;
    }

    /// The samples from `first` to before `last`. Places are changed where they lie: the rest is void.
    pub fn sliced(self: *const Columns, first: usize, last: usize) Columns {
        const from = placesBefore(self.places, first);
        const to = placesBefore(self.places, last);
        const places = self.places[from..to];
        for (places) |*place| place.* -= @intCast(first);
        return .{
            .times = self.times[first..last],
            .values = self.values[first..last],
            .places = places,
            .kinds = self.kinds[from..to],
            .payloads = self.payloads[from..to],
            .table = self.table,
        };
    }

    /// How many samples are before an instant; times ascend.
    pub fn before(self: *const Columns, instant_ms: i64) usize {
        return lowerBound(i64, self.times, instant_ms);
    }
};

/// How many of the ascending places are before one.
pub fn placesBefore(places: []const u32, place: usize) usize {
    return lowerBound(u32, places, @intCast(place));
}

fn lowerBound(comptime T: type, ascending: []const T, bound: T) usize {
    var low: usize = 0;
    var high = ascending.len;
    while (low < high) {
        const middle = low + (high - low) / 2;
        if (ascending[middle] < bound) low = middle + 1 else high = middle;
    }
    return low;
}

/// Byte strings one after another, each with where it ends.
pub const Table = struct {
    ends: []u32 = &.{},
    bytes: []const u8 = &.{},

    pub fn get(self: *const Table, code: usize) []const u8 {
        const start = if (code == 0) 0 else self.ends[code - 1];
        return self.bytes[start..self.ends[code]];
    }
};

/// Memory for columns of so many samples and exceptions.
pub fn allocate(count: usize, exceptions: usize) Fault!Columns {
    return .{
        .times = try arena.take(i64, count),
        .values = try arena.take(u64, count),
        .places = try arena.take(u32, exceptions),
        .kinds = try arena.take(Kind, exceptions),
        .payloads = try arena.take(i64, exceptions),
    };
}

/// Columns from their bytes, which lie on an address that eight divides. What does not add up is `Misuse`: these
/// bytes were made by our own code.
pub fn load(image: []align(8) u8) Fault!Columns {
    if (image.len < header_bytes) return error.Misuse;
    const sizes: []const u32 = @ptrCast(image[0..header_bytes]);
    const count, const exceptions, const entries, const bytes = sizes[0..4].*;
    if (sizeOf(count, exceptions, entries, bytes) != image.len) return error.Misuse;
    const cells: []i64 = @ptrCast(image[header_bytes..][0 .. 16 * @as(usize, count) + 8 * @as(usize, exceptions)]);
    const words_at = header_bytes + 8 * cells.len;
    const words_bytes = 4 * (@as(usize, exceptions) + entries);
    const words: []align(4) u8 = @alignCast(image[words_at..][0..words_bytes]);
    const places: []u32 = @ptrCast(words[0 .. 4 * @as(usize, exceptions)]);
    const ends: []u32 = @ptrCast(@as([]align(4) u8, @alignCast(words[4 * @as(usize, exceptions) ..])));
    const rest = image[words_at + words_bytes ..];
    const loaded: Columns = .{
        .times = cells[0..count],
        .values = @ptrCast(cells[count..][0..count]),
        .payloads = cells[2 * @as(usize, count) ..],
        .places = places,
        .kinds = try kindsOf(rest[0..exceptions]),
        .table = .{ .ends = ends, .bytes = rest[exceptions..] },
    };
    try check(&loaded);
    return loaded;
}

fn kindsOf(bytes: []u8) Fault![]Kind {
    for (bytes) |byte| if (byte == 0 or byte >= kind_count) return error.Misuse;
    return @ptrCast(bytes);
}

fn check(loaded: *const Columns) Fault!void {
    var end: u32 = 0;
    for (loaded.table.ends) |one| {
        if (one < end) return error.Misuse;
        end = one;
    }
    if (end != loaded.table.bytes.len) return error.Misuse;
    var last: i64 = -1;
    for (loaded.places, loaded.kinds, loaded.payloads) |place, kind, payload| {
        if (place <= last or place >= loaded.times.len) return error.Misuse;
        last = place;
        switch (kind) {
            .float => return error.Misuse,
            .null => if (payload != 0) return error.Misuse,
            .bool => if (payload != 0 and payload != 1) return error.Misuse,
            .int => {},
            .text, .long => {
                if (payload < 0 or payload >= loaded.table.ends.len) return error.Misuse;
                if (kind == .text and !utf8.sound(loaded.table.get(@intCast(payload)))) return error.Misuse;
            },
        }
    }
}

/// The bytes of columns: header, times, values, payloads, places, ends, kinds, bytes of the table.
pub fn save(columns: *const Columns) Fault![]u8 {
    const table = &columns.table;
    const size = sizeOf(columns.times.len, columns.places.len, table.ends.len, table.bytes.len);
    if (size > 0xffff_ffff) return error.NoRoom;
    const image = try arena.take(u8, @intCast(size));
    const sizes = [_]u32{
        @intCast(columns.times.len),
        @intCast(columns.places.len),
        @intCast(table.ends.len),
        @intCast(table.bytes.len),
    };
    var at: usize = 0;
    inline for (.{
        @as([]const u8, @ptrCast(&sizes)),
        @as([]const u8, @ptrCast(columns.times)),
        @as([]const u8, @ptrCast(columns.values)),
        @as([]const u8, @ptrCast(columns.payloads)),
        @as([]const u8, @ptrCast(columns.places)),
        @as([]const u8, @ptrCast(table.ends)),
        @as([]const u8, @ptrCast(columns.kinds)),
        table.bytes,
    }) |part| {
        @memcpy(image[at..][0..part.len], part);
        at += part.len;
    }
    return image;
}

fn sizeOf(count: u64, exceptions: u64, entries: u64, bytes: u64) u64 {
    return header_bytes + 16 * count + 13 * exceptions + 4 * entries + bytes;
}
