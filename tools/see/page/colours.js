// Colours. An environment's colour depends on its number alone, so it is the same in every trace.
// There are 7 colours that stay apart for colour-blind readers, each in 3 shades, in an order in
// which environments whose numbers follow each other differ most. tests/browser/test_colours.py
// computes both. Colours of different shades can be similar: the labels tell. What is no
// environment is grey, black or white, or has a pattern.

// Okabe and Ito's palette, without black.
export const PALETTE = ["#cc79a7", "#d55e00", "#0072b2", "#e69f00", "#56b4e9", "#f0e442",
    "#009e73"];
const LIGHTER = 0.45, DARKER = 0.45; // How much white or black the other shades have
const NUMBERS = 1024; // The number of an environment: the last ten bits of its id

const THEMES = {
    light: {
        page: "#ffffff", lane: "#f1f3f5", laneFocus: "#e3ecf7", ink: "#1b1f24", soft: "#57606a",
        grid: "#d8dde3", kernel: "#8b949e", kernelInk: "#ffffff", idle: "#c3cad2", held: "#24292f",
        wait: "#b3123a", ready: "#d0d7de", accent: "#0550ae", match: "#8250df",
    },
    dark: {
        page: "#0f1318", lane: "#1a2028", laneFocus: "#22304a", ink: "#e8edf3", soft: "#9aa6b2",
        grid: "#2b333d", kernel: "#606b78", kernelInk: "#ffffff", idle: "#3c4653", held: "#e8edf3",
        wait: "#ff6b8b", ready: "#4a5563", accent: "#79b8ff", match: "#c297ff",
    },
};

export function themeColours(name) {
    return THEMES[name];
}

function parse(colour) {
    return [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
}

// A mixture of two colours: `part` of the second.
function mix(colour, other, part) {
    const a = parse(colour), b = parse(other);
    return "#" + a.map((value, k) => Math.round(value + (b[k] - value) * part)
        .toString(16).padStart(2, "0")).join("");
}

function luminance(colour) {
    const [r, g, b] = parse(colour).map(value => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// Black or white, whichever is easier to read on a colour.
export function inkOn(colour) {
    return luminance(colour) > 0.18 ? "#111111" : "#ffffff";
}

function shadeOf(number) {
    const colour = PALETTE[number % PALETTE.length];
    switch (Math.floor(number / PALETTE.length) % 3) {
    case 1: return mix(colour, "#ffffff", LIGHTER);
    case 2: return mix(colour, "#000000", DARKER);
    default: return colour;
    }
}

const SHADES = Array.from({ length: NUMBERS }, (_, number) => shadeOf(number));

export function envColour(id) {
    return SHADES[id % NUMBERS];
}

// The patterns of a theme: what is idle or waits has diagonal lines.
export class Patterns {
    constructor(context, theme, scale) {
        const hatch = (colour, ground, step) => {
            const tile = document.createElement("canvas");
            tile.width = tile.height = step * scale;
            const draw = tile.getContext("2d");
            draw.scale(scale, scale);
            draw.fillStyle = ground;
            draw.fillRect(0, 0, step, step);
            draw.strokeStyle = colour;
            draw.lineWidth = 1.2;
            for (const shift of [-step, 0, step]) {
                draw.moveTo(shift - 1, step + 1);
                draw.lineTo(shift + step + 1, -1);
            }
            draw.stroke();
            const pattern = context.createPattern(tile, "repeat");
            pattern.setTransform(new DOMMatrix().scale(1 / scale));
            return pattern;
        };
        this.idle = hatch(theme.idle, theme.lane, 6);
        this.halted = hatch(theme.idle, theme.lane, 12);
        this.wait = hatch(theme.page, theme.wait, 4);
        this.asleep = hatch(theme.wait, theme.page, 4);
        this.blocked = hatch(theme.idle, theme.lane, 8);
    }
}

// An environment's colours, dimmed while another environment is highlighted.
export class Paint {
    constructor(theme) {
        this.theme = theme;
        this.highlighted = 0;
        this.dimmed = SHADES.map(colour => mix(colour, theme.lane, 0.78));
        this.dimmedKernel = mix(theme.kernel, theme.lane, 0.6);
    }

    env(id) {
        if (!id)
            return this.theme.soft;
        return this.highlighted && id !== this.highlighted ? this.dimmed[id % NUMBERS]
            : SHADES[id % NUMBERS];
    }

    kernel(id) {
        return this.highlighted && id !== this.highlighted ? this.dimmedKernel : this.theme.kernel;
    }
}
