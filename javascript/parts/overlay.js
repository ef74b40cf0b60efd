// The pictures that a job began with, and its mask beside them and over them.
((pc) => {
    "use strict";

    const TINT = [255, 0, 128]; // of a mask of black and white
    const COLOURLESS = 24; // how far red, green and blue lie apart at most in a grey
    const OPACITY = 60;

    class Inputs {
        constructor(view, inputs) {
            Object.assign(this, {view, inputs});
        }

        draw() {
            const {images, mask, inverted} = this.inputs;
            if (!images.length) return null;
            const figures = images.map((node, index) => this.figure(node, pc.t(index ? "Init image {number}" : "Init image", {number: index + 1})));
            const parts = [pc.make("div", {class: "pc-inputs"}, ...figures)];
            if (mask) {
                parts[0].append(this.figure(mask, pc.t("Mask")));
                parts.push(this.switches(figures[0], mask));
                if (inverted) parts.push(pc.make("p", {class: "pc-note"}, pc.t("Inpaint not masked: what the mask covers is kept, the rest is made anew.")));
            }
            return pc.make("details", {class: "pc-section", open: true}, pc.make("summary", {}, pc.t("Made from")), ...parts);
        }

        figure(node, name) {
            const {channel, thumbnails} = this.view;
            const measure = node.size ? ` · ${node.size[0]}×${node.size[1]}` : "";
            const image = thumbnails.image(node.picture, "", "pc-input");
            if (node.size) {
                image.style.aspectRatio = node.size.join("/"); // so that nothing moves when it comes
                image.style.setProperty("--pc-ratio", node.size[0] / node.size[1]);
            }
            pc.enlargeIn(image, channel, node.picture);
            const label = pc.t("Open the {name}", {name: name.toLowerCase() + measure});
            const open = () => pc.enlarge(channel, node.picture, name + measure);
            const shown = pc.make("button", {type: "button", class: "pc-picture", onclick: open, "aria-label": label}, image);
            return pc.make("figure", {}, shown, pc.make("figcaption", {}, name + measure));
        }

        /** The switch that lays the mask over the init image, and how much of it shows. */
        switches(figure, mask) {
            const cover = pc.make("canvas", {class: "pc-cover", hidden: true, "aria-hidden": "true"});
            figure.querySelector(".pc-picture").append(cover);
            const opacity = pc.make("input", {type: "range", min: 0, max: 100, value: OPACITY, disabled: true});
            const see = () => (cover.style.opacity = opacity.value / 100);
            opacity.addEventListener("input", see);
            see();
            const turn = pc.make("input", {type: "checkbox", role: "switch"});
            let drawn = null;
            turn.addEventListener("change", async () => {
                opacity.disabled = !turn.checked;
                cover.hidden = !turn.checked;
                if (!turn.checked || drawn) return;
                try {
                    drawn = paint(cover, (await this.view.channel.ask("large", {source: mask.picture}, pc.PATIENCE_FOR_PICTURES)).picture);
                    await drawn;
                } catch (error) {
                    drawn = null;
                    pc.toast(error.message, {bad: true});
                }
            });
            return pc.make("div", {class: "pc-bar"},
                pc.make("label", {class: "pc-switch"}, turn, pc.t("Mask over the picture")),
                pc.make("label", {class: "pc-switch"}, pc.t("Opacity"), opacity));
        }
    }

    /** Draws a mask so that black is clear, white is tinted, and colours keep their own. */
    async function paint(canvas, uri) {
        const image = new Image();
        image.src = uri;
        await image.decode();
        canvas.width = image.naturalWidth;
        canvas.height = image.naturalHeight;
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0);
        const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
        const {data} = pixels;
        for (let at = 0; at < data.length; at += 4) {
            const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
            const most = Math.max(red, green, blue);
            if (most - Math.min(red, green, blue) <= COLOURLESS) data.set(TINT, at);
            data[at + 3] = (data[at + 3] * most) / 255;
        }
        context.putImageData(pixels, 0, 0);
    }

    Object.assign(pc, {Inputs});
})((window.payloadCapture = window.payloadCapture || {}));
