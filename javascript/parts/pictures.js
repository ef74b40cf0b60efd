// Pictures: thumbnails that come when their place is seen, one picture over the page, files.
((pc) => {
    "use strict";

    /** Small pictures, fetched in batches when their place comes into view, kept for the session. */
    class Thumbnails {
        constructor(channel) {
            this.channel = channel;
            this.known = new Map();
            this.wanted = new Map();
            this.timer = null;
            const see = (entries) => entries.forEach((entry) => this.seen(entry));
            this.observer = new IntersectionObserver(see, {rootMargin: "200px"});
            this.sources = new WeakMap();
        }

        /** An <img> that will show `source`: an asset's sha256, or {capture, path}. */
        image(source, alt, className = "pc-thumb") {
            const image = pc.make("img", {class: className, alt, decoding: "async"});
            if (!source) return image;
            const known = this.known.get(JSON.stringify(source));
            if (known !== undefined) {
                this.put(image, known);
                return image;
            }
            this.sources.set(image, source);
            this.observer.observe(image);
            return image;
        }

        seen(entry) {
            if (!entry.isIntersecting) return;
            const image = entry.target;
            this.observer.unobserve(image);
            const source = this.sources.get(image);
            const key = JSON.stringify(source);
            if (this.known.has(key)) return this.put(image, this.known.get(key));
            if (!this.wanted.has(key)) this.wanted.set(key, {source, images: [], asked: false});
            this.wanted.get(key).images.push(image);
            if (this.timer === null) this.timer = setTimeout(() => this.fetch(), 30);
        }

        async fetch() {
            for (const [key, entry] of this.wanted) { // scrolled past meanwhile
                if (!entry.asked && !entry.images.some((image) => image.isConnected)) this.wanted.delete(key);
            }
            const open = [...this.wanted.entries()].filter(([, entry]) => !entry.asked);
            const batch = open.slice(0, 20);
            batch.forEach(([, entry]) => (entry.asked = true));
            this.timer = open.length > batch.length ? setTimeout(() => this.fetch(), 30) : null;
            if (!batch.length) return;
            const sources = batch.map(([, entry]) => entry.source);
            let found = null;
            try {
                const patience = pc.PATIENCE_FOR_PICTURES;
                found = (await this.channel.ask("thumbnails", {sources}, patience)).thumbnails;
            } catch (error) {
                // their places say that they are missing
            }
            batch.forEach(([key, entry], index) => {
                this.wanted.delete(key);
                if (found) this.known.set(key, found[index]);
                if (this.known.size > 600) this.known.delete(this.known.keys().next().value);
                entry.images.forEach((image) => this.put(image, found ? found[index] : ""));
            });
        }

        put(image, uri) {
            if (image.dataset.large) return; // it came before its thumbnail
            if (uri.startsWith("data:image/")) image.src = uri;
            else image.classList.add("pc-missing");
        }
    }

    /** Shows a picture in an <img> large enough to be looked at, in place of its thumbnail. */
    async function enlargeIn(image, channel, source) {
        try {
            const {picture} = await channel.ask("large", {source}, pc.PATIENCE_FOR_PICTURES);
            image.dataset.large = "1";
            if (picture.startsWith("data:image/")) image.src = picture;
            else image.classList.add("pc-missing");
        } catch (error) {
            image.title = error.message; // the thumbnail stays
        }
    }

    function save(blob, name) {
        const url = URL.createObjectURL(blob);
        const link = pc.make("a", {href: url, download: name});
        document.body.append(link);
        link.click();
        link.remove();
        setTimeout(() => URL.revokeObjectURL(url), 60000);
    }

    /** Shows one picture in full size over the page. */
    async function enlarge(channel, source, caption) {
        const picture = pc.make("img", {class: "pc-full", alt: caption});
        const words = pc.make("span", {class: "pc-caption", dir: "auto"}, pc.t("Loading…"));
        const shut = pc.button(pc.t("Close"), pc.t("Close the picture"), () => dialog.close());
        const bar = pc.make("div", {class: "pc-bar"}, words, shut);
        const dialog = pc.make("dialog", {class: "payload-capture-dialog", "aria-label": caption}, picture, bar);
        let url = null;
        pc.showDialog(dialog, () => url && URL.revokeObjectURL(url));
        try {
            const {picture: uri} = await channel.ask("picture", {source}, pc.PATIENCE_FOR_PICTURES);
            const blob = await (await fetch(uri)).blob(); // decodes base64 off this thread
            if (!dialog.isConnected) return; // closed meanwhile
            url = URL.createObjectURL(blob);
            picture.src = url;
            words.replaceChildren(pc.verbatim(caption));
            const name = `picture.${blob.type.split("/")[1]}`;
            words.after(pc.button(pc.t("Download"), pc.t("Download the picture"), () => save(blob, name)));
        } catch (error) {
            words.textContent = error.message;
        }
    }

    Object.assign(pc, {Thumbnails, save, enlarge, enlargeIn});
})((window.payloadCapture = window.payloadCapture || {}));
