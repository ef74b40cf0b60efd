// What differs between two captures, as a list: by path, long texts word by word.
((pc) => {
    "use strict";

    const MANY = 20; // items of a list that are shown

    /** A long text with what was removed and added in it marked. */
    function words(pieces) {
        const tags = {same: "span", removed: "del", added: "ins"};
        return pc.make("p", {class: "pc-words", dir: "auto"},
            ...pieces.map((piece) => pc.make(tags[piece.kind], {}, pc.verbatim(piece.text))));
    }

    /** Draws the differences of two captures. */
    class Differences {
        constructor(channel, thumbnails) {
            this.channel = channel;
            this.thumbnails = thumbnails;
        }

        list(entries, title) {
            return pc.make("section", {class: "pc-diffs"}, pc.make("h3", {}, title),
                pc.make("ul", {"aria-label": title}, ...entries.map((entry) => this.entry(entry))));
        }

        entry(entry) {
            const kinds = {changed: pc.t("changed"), added: pc.t("only in B"), removed: pc.t("only in A")};
            const head = pc.make("div", {class: "pc-diff-head"},
                pc.make("code", {dir: "auto"}, entry.path), pc.make("span", {class: "pc-note"}, kinds[entry.kind]));
            const body = entry.words ? [words(entry.words)] : ["a", "b"].filter((side) => entry[side])
                .map((side) => pc.make(side === "a" ? "del" : "ins", {class: "pc-diff-value"}, this.value(entry[side], entry.path, side)));
            return pc.make("li", {class: `pc-diff pc-${entry.kind}`}, head, ...body);
        }

        value(node, name, side) {
            if (node.picture) return this.picture(node, name, side);
            if (node.value !== undefined) return pc.make("span", {class: "pc-value"}, pc.verbatim(node.value));
            if (node.text !== undefined) return this.text(node);
            const entries = node.object || node.list.map((item, index) => [index, item]);
            const items = entries.slice(0, MANY).map(([key, item]) => pc.make("li", {},
                pc.make("span", {class: "pc-key", dir: "auto"}, String(key)), " ", this.value(item, `${name} ${key}`, side)));
            const rest = node.length - items.length;
            if (rest > 0) items.push(pc.make("li", {class: "pc-note"}, pc.t("and {count} more", {count: rest.toLocaleString()})));
            return items.length ? pc.make("ul", {class: "pc-diff-items"}, ...items) : pc.make("span", {class: "pc-text"});
        }

        text(node) {
            const shown = pc.make("span", {class: "pc-text", dir: "auto"}, node.text);
            if (node.length > node.text.length) {
                const length = node.length.toLocaleString();
                shown.append("… ", pc.make("span", {class: "pc-note"}, pc.t("({length} characters)", {length})));
            }
            return shown;
        }

        picture(node, name, side) {
            const source = node.picture;
            const caption = `${name}, ${side.toUpperCase()}`;
            const open = () => pc.enlarge(this.channel, source, caption);
            const properties = {type: "button", class: "pc-picture", onclick: open};
            const label = pc.t("Open {name}", {name: caption});
            return pc.make("button", {...properties, "aria-label": label}, this.thumbnails.image(source, ""));
        }
    }

    Object.assign(pc, {Differences});
})((window.payloadCapture = window.payloadCapture || {}));
