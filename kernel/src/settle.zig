//! Pieces put together: in order, of two samples at one instant the later piece's, cut to a range.
//!
//! What comes out is in normal form: times ascend, and the table holds what is used, in order of appearance.

const std = @import("std");
const arena = @import("arena.zig");
const columns = @import("columns.zig");
const Fault = @import("faults.zig").Fault;

const Columns = columns.Columns;

/// A piece and those after it.
pub const Piece = struct { columns: Columns, next: ?*Piece = null };

const none: u32 = 0xffff_ffff;

/// Everything from `start_ms` to before `end_ms`.
pub fn settle(first: ?*const Piece, start_ms: i64, end_ms: i64) Fault!Columns {
    if (start_ms > end_ms) return error.Misuse;
    const whole = try joined(first);
    const inOrder = if (whole.ascends()) whole else try sorted(&whole);
    const cut = inOrder.sliced(inOrder.before(start_ms), inOrder.before(end_ms));
    return canonical(cut);
}

/// All pieces one after another.
fn joined(first: ?*const Piece) Fault!Columns {
    const alone = first orelse return columns.allocate(0, 0);
    if (alone.next == null) return alone.columns;
    var count: usize = 0;
    var exceptions: usize = 0;
    var entries: usize = 0;
    var bytes: usize = 0;
    var each: ?*const Piece = first;
    while (each) |piece| : (each = piece.next) {
        count += piece.columns.times.len;
        exceptions += piece.columns.places.len;
        entries += piece.columns.table.ends.len;
        bytes += piece.columns.table.bytes.len;
    }
    if (count >= none or bytes >= none) return error.NoRoom;
    var whole = try columns.allocate(count, exceptions);
    const ends = try arena.take(u32, entries);
    const text = try arena.take(u8, bytes);
    whole.table = .{ .ends = ends, .bytes = text };
    count, exceptions, entries, bytes = .{ 0, 0, 0, 0 };
    each = first;
    while (each) |piece| : (each = piece.next) {
        const part = &piece.columns;
        @memcpy(whole.times[count..][0..part.times.len], part.times);
        @memcpy(whole.values[count..][0..part.values.len], part.values);
        for (part.places, part.kinds, part.payloads) |place, kind, payload| {
            whole.places[exceptions] = @intCast(place + count);
            whole.kinds[exceptions] = kind;
            whole.payloads[exceptions] = if (kind == .text or kind == .long) payload + @as(i64, @intCast(entries)) else payload;
            exceptions += 1;
        }
        for (part.table.ends) |end| {
            ends[entries] = @intCast(end + bytes);
            entries += 1;
        }
        @memcpy(text[bytes..][0..part.table.bytes.len], part.table.bytes);
        bytes += part.table.bytes.len;
        count += part.times.len;
    }
    return whole;
}

/// Samples in order of time; of those at one instant the last.
fn sorted(whole: *const Columns) Fault!Columns {
    const order = try arena.take(u32, whole.times.len);
    for (order, 0..) |*one, place| one.* = @intCast(place);
    // The place breaks ties, so any sort keeps the order of delivery.
    std.mem.sortUnstable(u32, order, whole.times, earlier);
    const exception_of = try arena.take(u32, whole.times.len);
    @memset(exception_of, none);
    for (whole.places, 0..) |place, at| exception_of[place] = @intCast(at);
    var out = try columns.allocate(whole.times.len, whole.places.len);
    var count: usize = 0;
    var exceptions: usize = 0;
    for (order, 0..) |place, at| {
        const time = whole.times[place];
        if (at + 1 < order.len and whole.times[order[at + 1]] == time) continue;
        out.times[count] = time;
        out.values[count] = whole.values[place];
        const exception = exception_of[place];
        if (exception != none) {
            out.places[exceptions] = @intCast(count);
            out.kinds[exceptions] = whole.kinds[exception];
            out.payloads[exceptions] = whole.payloads[exception];
            exceptions += 1;
        }
        count += 1;
    }
    return .{
        .times = out.times[0..count],
        .values = out.values[0..count],
        .places = out.places[0..exceptions],
        .kinds = out.kinds[0..exceptions],
        .payloads = out.payloads[0..exceptions],
        .table = whole.table,
    };
}

fn earlier(times: []const i64, one: u32, other: u32) bool {
    return if (times[one] == times[other]) one < other else times[one] < times[other];
}

/// The same samples with a table of what they use: each byte string once, in order of appearance.
pub fn canonical(found: Columns) Fault!Columns {
    for (found.places) |place| found.values[place] = columns.filler;
    if (found.table.ends.len == 0) return found;
    const old = &found.table;
    const new_of = try arena.take(u32, old.ends.len);
    @memset(new_of, none);
    var distinct = try Distinct.init(old);
    const ends = try arena.take(u32, old.ends.len);
    const bytes = try arena.take(u8, old.bytes.len);
    var entries: u32 = 0;
    var size: usize = 0;
    for (found.kinds, found.payloads) |kind, *payload| {
        if (kind != .text and kind != .long) continue;
        const code: u32 = @intCast(payload.*);
        const same = distinct.first(code);
        if (new_of[same] == none) {
            const blob = old.get(same);
            @memcpy(bytes[size..][0..blob.len], blob);
            size += blob.len;
            ends[entries] = @intCast(size);
            new_of[same] = entries;
            entries += 1;
        }
        payload.* = new_of[same];
    }
    var out = found;
    out.table = .{ .ends = ends[0..entries], .bytes = bytes[0..size] };
    return out;
}

/// Which entries of a table are equal: a hash table of codes, twice as large as it needs.
const Distinct = struct {
    table: *const columns.Table,
    cells: []u32,
    seen: []u32,

    fn init(table: *const columns.Table) Fault!Distinct {
        var size: usize = 4;
        while (size < 2 * table.ends.len) size *= 2;
        const cells = try arena.take(u32, size);
        const seen = try arena.take(u32, table.ends.len);
        @memset(cells, none);
        @memset(seen, none);
        return .{ .table = table, .cells = cells, .seen = seen };
    }

    /// The first code that was asked for and has the bytes of this one.
    fn first(self: *Distinct, code: u32) u32 {
        if (self.seen[code] != none) return self.seen[code];
        const blob = self.table.get(code);
        var cell: usize = @intCast(std.hash.Fnv1a_64.hash(blob) & (self.cells.len - 1));
        while (self.cells[cell] != none) : (cell = (cell + 1) & (self.cells.len - 1)) {
            const other = self.cells[cell];
            if (std.mem.eql(u8, self.table.get(other), blob)) {
                self.seen[code] = other;
                return other;
            }
        }
        self.cells[cell] = code;
        self.seen[code] = code;
        return code;
    }
};
