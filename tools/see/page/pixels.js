// Columns that are one pixel wide. Where many intervals share a pixel, a frame has tens of
// thousands of columns. They are written into an image, which is drawn at once. This takes less
// time than rectangles do.

export class Pixels {
    constructor() {
        this.canvas = document.createElement("canvas");
        this.canvas.width = this.canvas.height = 1;
        this.known = new Map(); // "#rrggbb" -> the pixel
        this.used = true;
    }

    // Begin a frame of this size.
    clear(width, height) {
        if (width !== this.canvas.width || height !== this.canvas.height || !this.image) {
            this.canvas.width = width;
            this.canvas.height = height;
            this.context = this.canvas.getContext("2d");
            this.image = this.context.createImageData(width, height);
            this.data = new Uint32Array(this.image.data.buffer);
        } else if (this.used) {
            this.data.fill(0);
        }
        this.used = false;
    }

    pixel(colour) {
        let value = this.known.get(colour);
        if (value === undefined) {
            const bytes = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
            value = new Uint32Array(Uint8Array.of(...bytes, 255).buffer)[0];
            this.known.set(colour, value);
        }
        return value;
    }

    // Fill the pixels from y on, `height` of them, of the column x. x is an integer.
    column(colour, x, y, height) {
        const { data } = this, { width } = this.canvas, value = this.pixel(colour);
        const first = Math.max(0, Math.round(y));
        const last = Math.min(this.canvas.height, Math.round(y) + height);
        for (let at = first * width + x, end = last * width; at < end; at += width)
            data[at] = value;
        this.used = true;
    }

    // Draw all columns since clear().
    draw(context) {
        if (!this.used)
            return;
        this.context.putImageData(this.image, 0, 0);
        context.imageSmoothingEnabled = false;
        context.drawImage(this.canvas, 0, 0);
    }
}
