//! Buckets: samples to counts, sums, extremes and chosen samples of each, piece by piece.
//!
//! `edgeseries/questions/bucketing.py` says the same in plain loops, and is what this is tested against.

const std = @import("std");
const arena = @import("arena.zig");
const bucket_columns = @import("bucket_columns.zig");
const bucket_words = @import("bucket_words.zig");
const columns = @import("columns.zig");
const Fault = @import("faults.zig").Fault;

const Aggregate = bucket_words.Aggregate;
const Columns = columns.Columns;
const Value = bucket_columns.Value;
const none = bucket_words.none;
const nowhere = bucket_words.nowhere;

const hour_ms = 3_600_000;

/// Fold settled samples. The result: the open bucket, the samples it carries, then the columns that came out, each
/// after its size in four bytes.
pub fn fold(found: *const Columns, input: []align(8) u8) Fault![]u8 {
    var run = try Run.init(found, try bucket_words.Words.read(input));
    try run.takeAll();
    return run.result();
}

const Run = struct {
    source: bucket_columns.Source,
    task: *const bucket_words.Task,
    open: bucket_words.Open,
    edges: []const i64,
    aggregates: []const i64,
    bucket: usize = 0,
    starts: []i64,
    emitted: usize = 0,
    outs: []bucket_columns.Column,
    chosen: []i64,
    chosen_count: usize = 0,

    fn init(samples: *const Columns, words: bucket_words.Words) Fault!Run {
        if (words.task.begun > samples.times.len) return error.Misuse;
        const wanted = words.aggregates();
        const outs = try arena.take(bucket_columns.Column, wanted.len);
        for (outs) |*out| out.* = try bucket_columns.Column.withRoom(words.edges.len);
        return .{
            .source = try bucket_columns.Source.of(samples),
            .task = words.task,
            .open = words.open.*,
            .edges = words.edges,
            .aggregates = wanted,
            .starts = try arena.take(i64, words.edges.len),
            .outs = outs,
            .chosen = if (words.task.method == 0) &.{} else try arena.take(i64, 8 * words.edges.len),
        };
    }

    fn takeAll(self: *Run) Fault!void {
        var place: usize = @intCast(self.task.begun);
        const times = self.source.samples.times;
        while (place < times.len) : (place += 1) {
            const at_ms = times[place];
            const number = self.source.numberAt(place);
            if (at_ms >= self.task.begin_ms) {
                if (at_ms >= self.edges[self.edges.len - 1]) return error.Misuse;
                self.advance(at_ms);
                self.count(place, at_ms, number);
            }
            self.open.latest = @intCast(place);
            if (number) |one| {
                self.open.previous_ms = at_ms;
                self.open.previous = one;
                self.open.has_previous = 1;
            }
        }
        if (self.task.end_ms == none) return;
        self.advance(self.task.end_ms);
        if (self.bucket + 1 < self.edges.len and self.edges[self.bucket] < self.task.end_ms) self.close();
        self.open.start_ms = none;
    }

    fn count(self: *Run, place: usize, at_ms: i64, number: ?f64) void {
        const tally = &self.open.tally;
        self.open.samples += 1;
        tally.count_all += 1;
        const here: i64 = @intCast(place);
        if (self.source.isNull(place)) {
            if (tally.first_null == nowhere) tally.first_null = here;
            return;
        }
        tally.count += 1;
        if (tally.first == nowhere) tally.first = here;
        tally.last = here;
        const one = number orelse return;
        tally.numbers += 1;
        if (one < tally.least) {
            tally.least = one;
            tally.at_least = here;
        }
        if (one > tally.greatest) {
            tally.greatest = one;
            tally.at_greatest = here;
        }
        const hour = @divFloor(at_ms, hour_ms);
        if (hour != tally.piece_hour) {
            tally.sum += tally.piece_sum;
            tally.piece_sum = 0;
            tally.piece_hour = hour;
        }
        tally.piece_sum += one;
        if (self.open.has_previous != 0 and at_ms - self.open.previous_ms <= self.task.max_gap_ms) {
            const growth = one - self.open.previous;
            tally.growths += 1;
            tally.delta += growth;
            tally.increase += if (growth >= 0) growth else one;
        }
    }

    /// Let the last value hold until an instant, and close what ends before it.
    fn advance(self: *Run, at_ms: i64) void {
        const edges = self.edges;
        while (self.bucket + 1 < edges.len and edges[self.bucket + 1] <= at_ms) {
            self.hold(at_ms);
            self.close();
            self.bucket += 1;
        }
        if (self.bucket + 1 < edges.len) {
            self.hold(at_ms);
            self.open.start_ms = edges[self.bucket];
        }
    }

    fn hold(self: *Run, until_ms: i64) void {
        if (self.open.latest == nowhere) return;
        const latest: usize = @intCast(self.open.latest);
        const number = self.source.numberAt(latest) orelse return;
        const since_ms = self.source.samples.times[latest];
        const start_ms = @max(since_ms, self.task.begin_ms, self.edges[self.bucket]);
        const end_ms = @min(until_ms, since_ms +| self.task.max_gap_ms, self.edges[self.bucket + 1]);
        if (start_ms >= end_ms) return;
        self.open.tally.held_ms += end_ms - start_ms;
        self.open.tally.integral += number * @as(f64, @floatFromInt(end_ms - start_ms));
    }

    fn close(self: *Run) void {
        const tally = &self.open.tally;
        if (tally.count_all > 0 or self.task.empty_too != 0 or (tally.held_ms > 0 and self.wantsHold())) {
            self.starts[self.emitted] = self.edges[self.bucket];
            for (self.outs, self.aggregates) |*out, aggregate| out.put(&self.source, self.aggregated(@fromBackingInt(aggregate)));
            self.emitted += 1;
        }
        if (tally.count_all > 0) {
            if (self.task.method != 0) self.choose();
            self.open.closed += 1;
        }
        tally.* = .{};
    }

    fn wantsHold(self: *const Run) bool {
        return std.mem.indexOfScalar(i64, self.aggregates, @backingInt(Aggregate.twa)) != null;
    }

    fn aggregated(self: *const Run, aggregate: Aggregate) Value {
        const tally = &self.open.tally;
        const numbers: f64 = @floatFromInt(tally.numbers);
        return switch (aggregate) {
            .count => .{ .number = @floatFromInt(tally.count) },
            .count_all => .{ .number = @floatFromInt(tally.count_all) },
            .first => if (tally.first == nowhere) .none else .{ .of = @intCast(tally.first) },
            .last => if (tally.last == nowhere) .none else .{ .of = @intCast(tally.last) },
            .twa => if (tally.held_ms == 0) .none else .{ .number = tally.integral / @as(f64, @floatFromInt(tally.held_ms)) },
            .increase => if (tally.growths == 0) .none else .{ .number = tally.increase },
            .delta => if (tally.growths == 0) .none else .{ .number = tally.delta },
            .min => if (tally.numbers == 0) .none else .{ .number = tally.least },
            .max => if (tally.numbers == 0) .none else .{ .number = tally.greatest },
            .sum => if (tally.numbers == 0) .none else .{ .number = tally.sum + tally.piece_sum },
            .mean => if (tally.numbers == 0) .none else .{ .number = (tally.sum + tally.piece_sum) / numbers },
        };
    }

    /// Samples of the bucket for a chart. The first and the last of all are among them.
    fn choose(self: *Run) void {
        const tally = &self.open.tally;
        const from = self.chosen_count;
        self.keep(tally.at_least);
        self.keep(tally.at_greatest);
        self.keep(tally.first_null);
        if (self.task.method == @backingInt(bucket_words.Method.m4) or tally.numbers == 0) {
            self.keep(tally.first);
            self.keep(tally.last);
        }
        if (self.open.closed == 0) {
            const either = if (tally.first == nowhere) tally.first_null else if (tally.first_null == nowhere) tally.first else @min(tally.first, tally.first_null);
            self.keep(either);
        }
        if (self.task.end_ms != none and self.open.latest == @as(i64, @intCast(self.source.samples.times.len)) - 1) {
            self.keep(self.open.latest);
        }
        self.chosen_count = from + sortedOnce(self.chosen[from..self.chosen_count]);
    }

    fn keep(self: *Run, place: i64) void {
        if (place == nowhere) return;
        self.chosen[self.chosen_count] = place;
        self.chosen_count += 1;
    }

    fn result(self: *Run) Fault![]u8 {
        const roles = [_]*i64{
            &self.open.tally.first,
            &self.open.tally.last,
            &self.open.tally.at_least,
            &self.open.tally.at_greatest,
            &self.open.tally.first_null,
            &self.open.latest,
        };
        const carried = try arena.take(i64, roles.len);
        var size: usize = 0;
        for (roles) |role| if (role.* != nowhere) {
            carried[size] = role.*;
            size += 1;
        };
        const places = carried[0..sortedOnce(carried[0..size])];
        for (roles) |role| if (role.* != nowhere) {
            role.* = @intCast(std.mem.indexOfScalar(i64, places, role.*).?);
        };
        const sections = try arena.take([]const u8, 3 + self.outs.len);
        sections[0] = std.mem.asBytes(&self.open);
        sections[1] = try columns.save(&(try self.source.at(places)));
        size = 2;
        if (self.task.method != 0) {
            sections[size] = try columns.save(&(try self.source.at(self.chosen[0..self.chosen_count])));
            size += 1;
        }
        for (self.outs) |*out| {
            sections[size] = try columns.save(&(try out.finished(&self.source, self.starts[0..self.emitted])));
            size += 1;
        }
        return bucket_columns.joined(sections[0..size]);
    }
};

/// Sort a few places and drop those that come twice; how many are left.
fn sortedOnce(places: []i64) usize {
    std.mem.sortUnstable(i64, places, {}, std.sort.asc(i64));
    var size: usize = 0;
    for (places) |place| {
        if (size > 0 and places[size - 1] == place) continue;
        places[size] = place;
        size += 1;
    }
    return size;
}
