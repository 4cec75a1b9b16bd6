//! Columns of float64, written in the lightest exact form: the choice, and the bytes, of Python's `blocks/floats.py`.
//!
//! Which scalings are worth writing out is said over distinct floats, with how often each comes.

const std = @import("std");
const arena = @import("arena.zig");
const Contest = @import("contest.zig").Contest;
const Distinct = @import("distinct.zig").Distinct;
const Fault = @import("faults.zig").Fault;
const floats = @import("floats.zig");
const integer_shapes = @import("integer_shapes.zig");
const numbers_as_text = @import("numbers.zig");
const ratios = @import("ratio_shapes.zig");
const weighing = @import("weighing.zig");
const wire = @import("wire.zig");

const Scaling = floats.Scaling;
const Writer = wire.Writer;

const plain_decimals = 6;
const max_single_decimals = 8;
const max_mean_places = 64;
const mean_bits = 8;
const mean_probes = 24;
const mean_tries = 4;
const misfit_share = 16;

/// Integers of this size are scaled no further.
const max_scaled: f64 = 1 << 62;

const no_decimals = floats.max_decimals + 1;
const no_binary = floats.max_binary_places + 1;

/// A column: its floats by their bits, each once, and how many there are in all.
const Column = struct {
    bits: []const i64,
    distinct: Distinct,
    contest: *Contest,
    exact: bool = false,

    fn count(self: *const Column) usize {
        return self.bits.len;
    }

    fn float(self: *const Column, place: usize) f64 {
        return @bitCast(self.distinct.numbers[place]);
    }
};

/// What a scaling makes of distinct floats; the mask says which of them it makes.
const Fit = struct { scaling: Scaling, places: usize, integers: []i64, fitting: []bool, misfits: usize };

/// Write at least one float, given by its bits; what the column weighs.
pub fn encode(bits: []const i64, out: *Writer) Fault!u64 {
    const before = arena.mark();
    defer arena.release(before);
    // Three columns of ratios, and two of misfits.
    var contest = try Contest.init(4 * integer_shapes.room(bits.len));
    var column: Column = .{ .bits = bits, .distinct = (try Distinct.of(bits, bits.len)).?, .contest = &contest };
    try offerScalings(&column);
    if (!column.exact) try offerBits(&column);
    try out.bytes(contest.best.written());
    return contest.weight.?;
}

fn offerScalings(column: *Column) Fault!void {
    const all, const most = try allAndMost(column, no_decimals, decimals);
    for ([_]usize{ most, all }, 0..) |places, turn| {
        if (places < no_decimals and !(turn == 1 and all == most)) _ = try offerFit(column, .decimal, places);
    }
    if (all <= plain_decimals) return;
    try offerSingles(column);
    const all_halvings, const most_halvings = try allAndMost(column, no_binary, halvings);
    for ([_]usize{ most_halvings, all_halvings }, 0..) |places, turn| {
        if (places == no_binary or (turn == 1 and all_halvings == most_halvings)) continue;
        const before = arena.mark();
        defer arena.release(before);
        var fit = try worth(column, .binary, places) orelse continue;
        if (try ratios.lookLike(fit.integers, fit.fitting, places)) {
            fit.scaling = .ratio;
            return offer(column, &fit);
        }
        try offer(column, &fit);
    }
    try offerFifteenths(column, most_halvings -| mean_bits);
}

/// Binary places below `most` that may make fifteenths of all floats: they do of some.
fn offerFifteenths(column: *Column, most: usize) Fault!void {
    const first = for (0..@min(most, max_mean_places)) |places| {
        if (probesAreFifteenths(column, places)) break places;
    } else return;
    for (first..@min(first + mean_tries, most)) |places| {
        if (try offerFit(column, .fifteenths, places)) return;
    }
}

fn probesAreFifteenths(column: *const Column, places: usize) bool {
    const divisor = floats.divisorOf(.fifteenths, places) catch return false;
    const step = column.distinct.numbers.len / mean_probes + 1;
    var place: usize = 0;
    while (place < column.distinct.numbers.len) : (place += step) {
        const float = column.float(place);
        if (!std.math.isFinite(float)) continue;
        if (!(@abs(float) * divisor < max_scaled)) return false;
        if (floats.roundedEven(float * divisor) / divisor != float) return false;
    }
    return true;
}

/// The fewest decimals that make most of the floats, through a float32.
fn offerSingles(column: *Column) Fault!void {
    var foreign: usize = 0;
    for (column.distinct.counts, 0..) |times, place| {
        const float = column.float(place);
        if (@as(f64, @as(f32, @floatCast(float))) != float) foreign += times;
    }
    if (foreign * misfit_share > column.count()) return;
    for (0..max_single_decimals + 1) |places| {
        if (try offerFit(column, .single, places)) return;
    }
}

/// Places that all floats need, and that all but a few do.
fn allAndMost(column: *const Column, comptime most: usize, needed: fn (f64, *u8) usize) Fault!struct { usize, usize } {
    const before = arena.mark();
    defer arena.release(before);
    const by_places = try arena.take(u32, most + 1);
    @memset(by_places, 0);
    var guess: u8 = 0;
    for (column.distinct.counts, 0..) |times, place| by_places[needed(column.float(place), &guess)] += times;
    var all: usize = most;
    while (by_places[all] == 0) all -= 1;
    var missing = column.count();
    for (by_places, 0..) |times, places| {
        missing -= times;
        if (times != 0 and missing * misfit_share <= column.count()) return .{ all, places };
    }
    unreachable;
}

/// Digits after the point of the shortest text that reads as this float.
fn decimals(float: f64, guess: *u8) usize {
    if (!std.math.isFinite(float)) return no_decimals;
    return @min(numbers_as_text.decimalsOf(float, guess), no_decimals);
}

/// Binary digits after the point.
fn halvings(float: f64, _: *u8) usize {
    if (!std.math.isFinite(float)) return no_binary;
    const bits: u64 = @bitCast(float);
    const exponent: i32 = @intCast(bits >> 52 & 0x7ff);
    const fraction = bits & ((1 << 52) - 1);
    if (exponent == 0 and fraction == 0) return 0;
    const mantissa = if (exponent == 0) fraction else fraction | 1 << 52;
    const biased: i32 = @max(exponent, 1);
    const lowest = biased - 1075 + @as(i32, @ctz(mantissa));
    return if (lowest >= 0) 0 else @min(@as(usize, @intCast(-lowest)), no_binary);
}

fn offerFit(column: *Column, scaling: Scaling, places: usize) Fault!bool {
    const before = arena.mark();
    defer arena.release(before);
    const fit = try worth(column, scaling, places) orelse return false;
    try offer(column, &fit);
    return true;
}

/// The fit of a scaling, unless too many floats do not fit.
fn worth(column: *const Column, scaling: Scaling, places: usize) Fault!?Fit {
    const divisor = floats.divisorOf(scaling, places) catch return null;
    const different = column.distinct.numbers.len;
    const integers = try arena.take(i64, different);
    const fitting = try arena.take(bool, different);
    var misfits: usize = 0;
    for (integers, fitting, column.distinct.counts, 0..) |*integer, *fits, times, place| {
        const found = fittingInteger(column.float(place), scaling, divisor);
        fits.* = found != null;
        integer.* = found orelse 0;
        if (found == null) misfits += times;
    }
    if (misfits * misfit_share > column.count() or misfits == column.count()) return null;
    return .{ .scaling = scaling, .places = places, .integers = integers, .fitting = fitting, .misfits = misfits };
}

fn fittingInteger(float: f64, scaling: Scaling, divisor: f64) ?i64 {
    const largest = max_scaled / divisor;
    const within = -largest < float and float < largest;
    const number: i64 = if (within) @intFromFloat(floats.roundedEven(float * divisor)) else 0;
    var back = @as(f64, @floatFromInt(number)) / divisor;
    if (scaling == .single) back = @as(f32, @floatCast(back));
    return if (@as(u64, @bitCast(back)) == @as(u64, @bitCast(float))) number else null;
}

fn offer(column: *Column, fit: *const Fit) Fault!void {
    const before = arena.mark();
    defer arena.release(before);
    const out = try column.contest.begin("");
    try out.byte(@backingInt(fit.scaling));
    try out.uvarint(fit.places);
    var weight = out.at * weighing.plain_byte;
    try out.uvarint(fit.misfits);
    const integers = try arena.take(i64, column.count());
    if (fit.misfits == 0) {
        column.exact = true;
        for (integers, column.distinct.places) |*integer, place| integer.* = fit.integers[place];
    } else {
        try fillAndWriteMisfits(column, fit, integers, out);
        weight = weighing.weight(out.written());
    }
    weight += if (fit.scaling == .ratio) try ratios.encode(integers, fit.places, out) else try integer_shapes.encode(integers, out);
    column.contest.offerOf(weight);
}

/// Integers of the floats; where one does not fit, the integer before stands in, or the first that is one.
fn fillAndWriteMisfits(column: *const Column, fit: *const Fit, integers: []i64, out: *Writer) Fault!void {
    const gaps = try arena.take(i64, fit.misfits);
    const kept = try arena.take(i64, fit.misfits);
    var at: usize = 0;
    var before: usize = 0;
    var last: ?i64 = null;
    for (integers, column.distinct.places, 0..) |*integer, distinct, place| {
        if (fit.fitting[distinct]) {
            const found = fit.integers[distinct];
            if (last == null) @memset(integers[0..place], found);
            last = found;
        } else {
            gaps[at] = @intCast(place - before);
            kept[at] = column.bits[place];
            before = place;
            at += 1;
        }
        integer.* = last orelse 0;
    }
    _ = try integer_shapes.encode(gaps, out);
    _ = try integer_shapes.encode(kept, out);
}

fn offerBits(column: *Column) Fault!void {
    const before = arena.mark();
    defer arena.release(before);
    const ordered = try arena.take(i64, column.count());
    for (ordered, column.bits) |*one, bits| one.* = floats.ordered(bits);
    const out = try column.contest.begin(&.{@backingInt(Scaling.bits)});
    column.contest.offerOf(weighing.plain_byte + try integer_shapes.encode(ordered, out));
}
