// The pictures that a job returned: the chosen one large, all of them as a strip.
((pc) => {
    "use strict";

    class Results {
        constructor(view, results) {
            Object.assign(this, {view, results});
            this.stage = pc.make("figure", {class: "pc-stage"});
            this.strip = pc.make("div", {class: "pc-strip", role: "group", "aria-label": pc.t("All pictures")});
        }

        draw() {
            if (!this.results.length) return null;
            this.results.forEach((result, index) => this.strip.append(this.choice(result, index)));
            this.strip.hidden = this.results.length === 1;
            this.choose(0);
            return pc.make("div", {class: "pc-results"}, this.stage, this.strip);
        }

        caption(result) {
            const measure = `${result.size[0]}×${result.size[1]}`;
            const seed = result.seed ? pc.t("seed {seed}", {seed: result.seed}) : "";
            return [result.role === "sample" ? "" : pc.t(result.role), measure, seed].filter(Boolean).join(" · ");
        }

        choice(result, index) {
            const label = pc.t("Show picture {number}, {caption}", {number: index + 1, caption: this.caption(result)});
            const image = this.view.thumbnails.image(result.thumbnail, "");
            const choose = () => this.choose(index);
            return pc.make("button", {type: "button", class: "pc-choice", "aria-label": label, onclick: choose}, image);
        }

        choose(index) {
            const result = this.results[index];
            const {channel, thumbnails} = this.view;
            const caption = this.caption(result);
            const image = thumbnails.image(result.thumbnail, "", "pc-result");
            image.style.aspectRatio = result.size.join("/"); // so that nothing moves when it comes
            image.style.setProperty("--pc-ratio", result.size[0] / result.size[1]);
            image.style.setProperty("--pc-wide", `${result.size[0]}px`);
            const label = pc.t("Open picture {number}, {caption}", {number: index + 1, caption});
            const open = () => pc.enlarge(channel, result.asset, caption);
            const properties = {type: "button", class: "pc-picture", onclick: open, "aria-label": label};
            const shown = pc.make("button", {...properties, disabled: !result.asset}, image);
            this.stage.replaceChildren(shown, pc.make("figcaption", {}, caption));
            [...this.strip.children].forEach((one, at) => one.setAttribute("aria-pressed", String(at === index)));
            if (result.asset) pc.enlargeIn(image, channel, result.asset);
        }
    }

    Object.assign(pc, {Results});
})((window.payloadCapture = window.payloadCapture || {}));
