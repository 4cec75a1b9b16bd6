//! Texts within text: JSON strings and fields of CSV.

const utf8 = @import("utf8.zig");

/// A JSON string as Python's `json` writes it.
pub fn writeString(out: [*]u8, text: []const u8, comptime ascii: bool) usize {
    out[0] = '"';
    var at: usize = 1;
    var from: usize = 0;
    while (from < text.len) {
        const byte = text[from];
        const short: u8 = switch (byte) {
            '"', '\\' => byte,
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            0x08 => 'b',
            0x0c => 'f',
            else => 0,
        };
        if (short != 0) {
            out[at..][0..2].* = .{ '\\', short };
            at += 2;
            from += 1;
        } else if (byte < 0x20 or (ascii and byte == 0x7f)) {
            at += writeEscape(out + at, byte);
            from += 1;
        } else if (byte < 0x80 or !ascii) {
            out[at] = byte;
            at += 1;
            from += 1;
        } else {
            // Sound by the time it is here: what is in a table was checked.
            const character = utf8.next(text[from..]).?;
            if (character.code < 0x1_0000) {
                at += writeEscape(out + at, @intCast(character.code));
            } else {
                const beyond = character.code - 0x1_0000;
                at += writeEscape(out + at, @intCast(0xd800 + (beyond >> 10)));
                at += writeEscape(out + at, @intCast(0xdc00 + (beyond & 0x3ff)));
            }
            from += character.size;
        }
    }
    out[at] = '"';
    return at + 1;
}

fn writeEscape(out: [*]u8, unit: u16) usize {
    const digits = "0123456789abcdef";
    out[0..6].* = .{
        '\\',
        'u',
        digits[unit >> 12],
        digits[unit >> 8 & 15],
        digits[unit >> 4 & 15],
        digits[unit & 15],
    };
    return 6;
}

/// A text in CSV: always quoted, quotes doubled, half of a surrogate pair as a question mark.
pub fn writeField(out: [*]u8, text: []const u8) usize {
    out[0] = '"';
    var at: usize = 1;
    var from: usize = 0;
    while (from < text.len) {
        const byte = text[from];
        if (byte == 0xed and utf8.isSurrogate(utf8.next(text[from..]).?.code)) {
            out[at] = '?';
            at += 1;
            from += 3;
            continue;
        }
        if (byte == '"') {
            out[at] = '"';
            at += 1;
        }
        out[at] = byte;
        at += 1;
        from += 1;
    }
    out[at] = '"';
    return at + 1;
}
