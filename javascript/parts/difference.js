// What differs between two pictures, pixel by pixel, drawn on a canvas.
((pc) => {
    "use strict";

    const BAND = 1 << 18; // pixels that are looked at before the page may do something else
    const FACTORS = [1, 4, 16, 64];

    /** The pixels of a loaded picture. */
    function pixels(image, width, height) {
        const canvas = pc.make("canvas", {width, height});
        const context = canvas.getContext("2d", {willReadFrequently: true});
        context.drawImage(image, 0, 0);
        return context;
    }

    /** Compares two loaded pictures of one size. */
    class Difference {
        constructor(one, other) {
            this.width = one.naturalWidth;
            this.height = one.naturalHeight;
            this.sides = [one, other].map((image) => pixels(image, this.width, this.height));
            this.turn = 0; // of the drawing that is wanted; an older one stops
        }

        /** Calls `look(differences, y)` for each band: the channels' differences as of a picture. */
        async bands(look) {
            const turn = ++this.turn;
            const rows = Math.max(1, Math.floor(BAND / this.width));
            for (let y = 0; y < this.height; y += rows) {
                const count = Math.min(rows, this.height - y);
                const [one, other] = this.sides.map((side) => side.getImageData(0, y, this.width, count).data);
                for (let i = 0; i < one.length; i += 4) {
                    const clear = Math.abs(one[i + 3] - other[i + 3]); // shows in every channel
                    for (let c = i; c < i + 3; c++) one[c] = Math.max(Math.abs(one[c] - other[c]), clear);
                    one[i + 3] = 255;
                }
                look(one, y);
                await new Promise((done) => setTimeout(done));
                if (turn !== this.turn) return false;
            }
            return true;
        }

        /** {differing, all, largest}: how many pixels differ, of how many, and by how much at most. */
        async measure() {
            const found = {differing: 0, all: this.width * this.height, largest: 0};
            await this.bands((data) => {
                for (let i = 0; i < data.length; i += 4) {
                    const most = Math.max(data[i], data[i + 1], data[i + 2]);
                    if (most) found.differing += 1;
                    if (most > found.largest) found.largest = most;
                }
            });
            return found;
        }

        /** Draw the differences `factor` times as large as they are. */
        async draw(canvas, factor) {
            Object.assign(canvas, {width: this.width, height: this.height});
            const context = canvas.getContext("2d");
            const whole = await this.bands((data, y) => {
                for (let i = 0; i < data.length; i++) if (i % 4 < 3) data[i] *= factor; // stops at 255
                context.putImageData(new ImageData(data, this.width), 0, y);
            });
            if (whole) canvas.dataset.factor = factor;
        }
    }

    /** The least factor that makes the largest difference bright. */
    function bright(largest) {
        return FACTORS.find((factor) => largest * factor >= 128) || FACTORS[FACTORS.length - 1];
    }

    function inWords({differing, all, largest}) {
        if (!differing) return pc.t("No pixel differs.");
        const share = Math.min((100 * differing) / all, differing < all ? 99.9 : 100);
        const percent = share < 0.1 ? "<0.1" : share.toFixed(share < 10 || share > 99 ? 1 : 0);
        const values = {count: differing.toLocaleString(), all: all.toLocaleString(), percent, largest};
        return pc.t("{count} of {all} pixels differ ({percent} %), the largest difference is {largest} of 255.", values);
    }

    /** An element that shows the difference of two loaded pictures. */
    function difference(one, other) {
        if (one.naturalWidth !== other.naturalWidth || one.naturalHeight !== other.naturalHeight) {
            const sizes = {
                a: `${one.naturalWidth}×${one.naturalHeight}`,
                b: `${other.naturalWidth}×${other.naturalHeight}`,
            };
            return pc.make("p", {}, pc.t("The sizes differ, {a} and {b}: there are no pixels to compare.", sizes));
        }
        const found = new Difference(one, other);
        const canvas = pc.make("canvas", {class: "pc-stage", role: "img", "aria-label": pc.t("What differs, amplified")});
        pc.fit(canvas, one);
        const said = pc.make("p", {class: "pc-note", role: "status"}, pc.t("Comparing the pixels…"));
        const factors = FACTORS.map((factor) => pc.make("option", {value: factor}, `×${factor}`));
        const choice = pc.make("select", {onchange: () => found.draw(canvas, Number(choice.value))}, ...factors);
        const amplified = pc.make("label", {class: "pc-note", hidden: true}, pc.t("Amplified"), " ", choice);
        found.measure().then((measured) => {
            said.textContent = inWords(measured);
            amplified.hidden = !measured.differing;
            choice.value = bright(measured.largest);
            return found.draw(canvas, Number(choice.value));
        });
        return pc.make("div", {class: "pc-difference"}, said, amplified, canvas);
    }

    Object.assign(pc, {difference});
})((window.payloadCapture = window.payloadCapture || {}));
