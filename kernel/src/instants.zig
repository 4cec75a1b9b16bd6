//! Instants as ISO-8601 texts: `2024-01-01T00:00:00.000Z`, always with three decimals, so that a column of them has
//! one form.

const std = @import("std");
const Fault = @import("faults.zig").Fault;
const numbers = @import("numbers.zig");

/// Of every instant.
pub const size_bytes = 24;

const day_ms = 86_400_000;

/// Before the year 10000: four digits.
const last_ms = 253_402_300_799_999;

/// Remembers the date of the day that was written last.
pub const Instants = struct {
    day: i64 = -1,
    date: [10]u8 = undefined,

    pub fn write(self: *Instants, out: [*]u8, instant_ms: i64) Fault!usize {
        if (instant_ms < 0 or instant_ms > last_ms) return error.NoInstant;
        const day = @divTrunc(instant_ms, day_ms);
        if (day != self.day) {
            self.day = day;
            self.date = dateOf(@intCast(day));
        }
        const of_day: u32 = @intCast(instant_ms - day * day_ms);
        const second = of_day / 1000;
        const milliseconds = of_day % 1000;
        out[0..10].* = self.date;
        out[10] = 'T';
        numbers.writePadded(2, out[11..13], second / 3600);
        out[13] = ':';
        numbers.writePadded(2, out[14..16], second / 60 % 60);
        out[16] = ':';
        numbers.writePadded(2, out[17..19], second % 60);
        out[19] = '.';
        out[20] = '0' + @as(u8, @intCast(milliseconds / 100));
        numbers.writePadded(2, out[21..23], milliseconds % 100);
        out[23] = 'Z';
        return size_bytes;
    }
};

fn dateOf(day: u47) [10]u8 {
    const year = (std.time.epoch.EpochDay{ .day = day }).calculateYearDay();
    const month = year.calculateMonthDay();
    var date: [10]u8 = "0000-00-00".*;
    numbers.writePadded(4, date[0..4], year.year);
    numbers.writePadded(2, date[5..7], month.month.numeric());
    numbers.writePadded(2, date[8..10], @as(u32, month.day_index) + 1);
    return date;
}
