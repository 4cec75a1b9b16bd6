//! Arena: all memory that a call may use. It is handed out upwards and given back at once.
//!
//! It is bounded by the module's own maximum of linear memory (`build.py` sets it), so whatever bytes
//! come in, the worst is `NoRoom`. Everything is aligned to eight bytes.

const Fault = @import("faults.zig").Fault;

extern const __heap_base: u8;

const page_bytes = 65536;
const alignment = 8;

var next: usize = 0;

/// Give back everything. What was handed out before is void.
pub fn reset() void {
    next = aligned(@intFromPtr(&__heap_base));
}

/// Where the arena ends now; `release` goes back to it.
pub fn mark() usize {
    if (next == 0) reset();
    return next;
}

/// Give back everything that was handed out since the mark.
pub fn release(to: usize) void {
    next = to;
}

/// `count` places for a T, their contents as they are.
pub fn take(comptime T: type, count: usize) Fault![]T {
    if (next == 0) reset();
    const size = @as(u64, count) * @sizeOf(T);
    const end = @as(u64, next) + size + alignment;
    if (end > @as(u64, @wasmMemorySize(0)) * page_bytes) {
        const missing = end - @as(u64, @wasmMemorySize(0)) * page_bytes;
        const pages: u64 = (missing + page_bytes - 1) / page_bytes;
        if (pages > page_bytes) return error.NoRoom;
        if (@wasmMemoryGrow(0, @intCast(pages)) < 0) return error.NoRoom;
    }
    const here: [*]T = @ptrFromInt(next);
    next = aligned(next + @as(usize, @intCast(size)));
    return here[0..count];
}

fn aligned(at: usize) usize {
    return (at + alignment - 1) & ~@as(usize, alignment - 1);
}
