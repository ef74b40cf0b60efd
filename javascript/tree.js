// The payload as a tree.
((pc) => {
    "use strict";

    const AT_ONCE = 100; // items of a list that are drawn until somebody asks for more

    class Tree {
        /** `view` is the drawn capture; pictures and long texts are asked for by its id. */
        constructor(channel, thumbnails, capture) {
            this.channel = channel;
            this.thumbnails = thumbnails;
            this.capture = capture;
        }

        draw(node, label) {
            return pc.make("ul", {class: "pc-tree", "aria-label": label}, ...this.items(node, [], 0));
        }

        items(node, path, depth) {
            const entries = node.object || node.list.map((item, index) => [index, item]);
            const some = entries.slice(0, AT_ONCE).map(([key, item]) => this.item(key, item, path, depth));
            const rest = entries.length - some.length;
            if (rest <= 0) return some;
            const all = () => {
                const more = entries.slice(AT_ONCE).map(([key, item]) => this.item(key, item, path, depth));
                li.replaceWith(...more);
            };
            const li = pc.make("li", {}, pc.button(`Show ${rest.toLocaleString()} more`, "", all, "pc-small"));
            return [...some, li];
        }

        item(key, node, path, depth) {
            const name = pc.make("span", {class: "pc-key", dir: "auto"}, String(key));
            const here = [...path, key];
            if (node.object || node.list) return this.branch(name, node, here, depth);
            return pc.make("li", {class: "pc-leaf"}, name, this.leaf(node, here.join(" "), here));
        }

        branch(name, node, path, depth) {
            const length = (node.object || node.list).length;
            const noun = node.object ? "field" : "item";
            const note = length
                ? pc.make("span", {class: "pc-note"}, pc.count(length, noun)) : pc.make("span", {class: "pc-text"});
            if (!length) return pc.make("li", {class: "pc-leaf"}, name, note);
            const list = pc.make("ul", {});
            const details = pc.make("details", {}, pc.make("summary", {}, name, note), list);
            const fill = () => {
                if (details.open && !list.childElementCount) list.append(...this.items(node, path, depth + 1));
            };
            details.addEventListener("toggle", fill);
            const simple = node.list && node.list.some((item) => item.picture);
            details.open = Boolean(simple) || (depth === 0 && length <= 8 && Boolean(node.list));
            fill();
            return pc.make("li", {}, details);
        }

        leaf(node, name, path) {
            if (node.picture) return this.picture(node, name);
            if (node.value !== undefined) return pc.make("span", {class: "pc-value"}, node.value);
            return this.text(node, path);
        }

        picture(node, name) {
            const known = typeof node.picture === "string";
            const source = known ? node.picture : {capture: this.capture, path: node.picture};
            const measure = node.size ? `${node.size[0]}×${node.size[1]} ` : "";
            const about = `${measure}${node.type.replace("image/", "")}, ${pc.size(node.bytes)}`;
            const open = () => pc.enlarge(this.channel, source, `${name}: ${about}`);
            const image = this.thumbnails.image(source, "");
            const properties = {type: "button", class: "pc-picture", onclick: open};
            const shown = pc.make("button", {...properties, "aria-label": `Open ${name}, ${about}`}, image);
            return pc.make("span", {class: "pc-pictured"}, shown, pc.make("span", {class: "pc-note"}, about));
        }

        text(node, path) {
            const words = pc.make("span", {class: "pc-text", dir: "auto"}, node.text);
            if (node.length <= node.text.length) return words;
            const shown = pc.make("span", {class: "pc-long"}, words);
            const label = `Show all ${pc.count(node.length, "character")}`;
            const toggle = pc.button(label, "", async () => {
                if (words.classList.toggle("pc-all")) {
                    toggle.disabled = true;
                    try {
                        const question = {capture: this.capture, path};
                        words.textContent = (await this.channel.ask("text", question)).text;
                        toggle.textContent = "Show less";
                    } catch (error) {
                        words.classList.remove("pc-all");
                        toggle.textContent = error.message;
                    }
                    toggle.disabled = false;
                } else {
                    words.textContent = node.text;
                    toggle.textContent = label;
                }
            }, "pc-small");
            words.append("…");
            shown.append(toggle);
            return shown;
        }
    }

    Object.assign(pc, {Tree});
})((window.payloadCapture = window.payloadCapture || {}));
