//! What comes out of a fold: columns of aggregates, and samples by their places.

const std = @import("std");
const arena = @import("arena.zig");
const columns = @import("columns.zig");
const settling = @import("settle.zig");
const Fault = @import("faults.zig").Fault;

const Columns = columns.Columns;

/// A number, a sample's value by its place, or null.
pub const Value = union(enum) { none, number: f64, of: usize };

/// The source of an exception that is null, and no sample's.
const nothing: u32 = 0xffff_ffff;

/// Samples with the kind of each, so that one is looked up by its place.
pub const Source = struct {
    samples: *const Columns,
    kinds: []const u8,

    pub fn of(samples: *const Columns) Fault!Source {
        const kinds = try arena.take(u8, samples.times.len);
        @memset(kinds, 0);
        for (samples.places, samples.kinds) |place, kind| {
            if (kind == .long) return error.LeftToPython;
            kinds[place] = @backingInt(kind);
        }
        return .{ .samples = samples, .kinds = kinds };
    }

    /// The number at a place: true is 1, false 0; of texts and null there is none.
    pub fn numberAt(self: *const Source, place: usize) ?f64 {
        return switch (self.kinds[place]) {
            @backingInt(columns.Kind.float) => @bitCast(self.samples.values[place]),
            @backingInt(columns.Kind.bool), @backingInt(columns.Kind.int) => @floatFromInt(self.payloadAt(place)),
            else => null,
        };
    }

    pub fn isNull(self: *const Source, place: usize) bool {
        return self.kinds[place] == @backingInt(columns.Kind.null);
    }

    fn payloadAt(self: *const Source, place: usize) i64 {
        return self.samples.payloads[columns.placesBefore(self.samples.places, place)];
    }

    /// The samples at ascending places.
    pub fn at(self: *const Source, places: []const i64) Fault!Columns {
        var out = try Column.withRoom(places.len);
        const times = try arena.take(i64, places.len);
        for (places, times) |one, *time| {
            const place: usize = @intCast(one);
            time.* = self.samples.times[place];
            out.put(self, .{ .of = place });
        }
        return out.finished(self, times);
    }
};

/// A column that grows by values.
pub const Column = struct {
    cells: []u64,
    places: []u32,
    sources: []u32,
    count: usize = 0,
    exceptions: usize = 0,

    pub fn withRoom(rows: usize) Fault!Column {
        return .{
            .cells = try arena.take(u64, rows),
            .places = try arena.take(u32, rows),
            .sources = try arena.take(u32, rows),
        };
    }

    pub fn put(self: *Column, source: *const Source, value: Value) void {
        defer self.count += 1;
        const cell = &self.cells[self.count];
        const from: u32 = switch (value) {
            .none => nothing,
            .number => |number| if (std.math.isFinite(number)) {
                cell.* = @bitCast(number);
                return;
            } else nothing,
            .of => |place| if (source.kinds[place] == @backingInt(columns.Kind.float)) {
                cell.* = source.samples.values[place];
                return;
            } else @intCast(place),
        };
        cell.* = columns.filler;
        self.places[self.exceptions] = @intCast(self.count);
        self.sources[self.exceptions] = from;
        self.exceptions += 1;
    }

    pub fn finished(self: *const Column, source: *const Source, times: []i64) Fault!Columns {
        const kinds = try arena.take(columns.Kind, self.exceptions);
        const payloads = try arena.take(i64, self.exceptions);
        for (kinds, payloads, self.sources[0..self.exceptions]) |*kind, *payload, from| {
            kind.* = if (from == nothing) .null else @fromBackingInt(@intCast(source.kinds[from]));
            payload.* = if (from == nothing) 0 else source.payloadAt(from);
        }
        return settling.canonical(.{
            .times = times,
            .values = self.cells[0..self.count],
            .places = self.places[0..self.exceptions],
            .kinds = kinds,
            .payloads = payloads,
            .table = source.samples.table,
        });
    }
};

/// Byte strings one after another, each after its size in four bytes.
pub fn joined(sections: []const []const u8) Fault![]u8 {
    var size: usize = 0;
    for (sections) |one| size += 4 + one.len;
    const whole = try arena.take(u8, size);
    var at: usize = 0;
    for (sections) |one| {
        std.mem.writeInt(u32, whole[at..][0..4], @intCast(one.len), .little);
        @memcpy(whole[at + 4 ..][0..one.len], one);
        at += 4 + one.len;
    }
    return whole;
}
