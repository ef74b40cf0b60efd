// Draws captures in the tab "Payloads" and in the accordions "API payload".
//
// Prompts and everything else that came from outside become text nodes: nothing here is parsed as
// HTML. Questions go to Python through a hidden button of gradio's, one at a time.
(() => {
    "use strict";

    const ROOT = document.documentElement;
    if (ROOT.dataset.payloadCapture) return; // this file was loaded twice
    ROOT.dataset.payloadCapture = "1";

    const POLL = 1000;
    const PAUSE = 3000; // between attempts to reach a webui that is gone
    const PATIENCE = 15000;
    const PATIENCE_FOR_PICTURES = 180000;
    const LIGHT = 4 << 20; // bytes of a request that is fetched before somebody asks for it
    const GONE = "The webui does not answer. Is it still running?";
    const AT_ONCE = 100; // items of a list that are drawn until somebody asks for more

    // ---- elements

    /** An element with properties (class, on*, attributes with a dash) and children; strings are text. */
    function make(tag, properties, ...children) {
        const element = document.createElement(tag);
        for (const [name, value] of Object.entries(properties || {})) {
            if (name === "class") element.className = value;
            else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
            else if (name.includes("-") || name === "role") element.setAttribute(name, value);
            else element[name] = value;
        }
        element.append(...children.filter((child) => child !== null && child !== ""));
        return element;
    }

    function button(text, label, onclick, kind = "") {
        const properties = {type: "button", class: `pc-button ${kind}`, onclick};
        return make("button", label ? {...properties, "aria-label": label} : properties, text);
    }

    /** A button for what cannot be undone: it acts when it is pressed again within some seconds. */
    function sureButton(text, again, act) {
        let timer = null;
        const calm = () => {
            clearTimeout(timer);
            timer = null;
            pressed.textContent = text;
        };
        const pressed = button(text, "", () => {
            const sure = timer !== null;
            calm();
            if (sure) return act();
            pressed.textContent = again;
            timer = setTimeout(calm, 5000);
        }, "pc-danger");
        return pressed;
    }

    function size(bytes) {
        if (bytes < 1000) return `${bytes} bytes`;
        const [unit, name] = bytes < 1e6 ? [1e3, "KB"] : [1e6, "MB"];
        const amount = bytes / unit;
        return `${amount.toFixed(amount < 10 ? 1 : 0)} ${name}`;
    }

    function count(number, noun) {
        return `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;
    }

    function moment(started) {
        const date = new Date(started);
        if (Number.isNaN(date.getTime())) return make("span", {});
        const today = date.toDateString() === new Date().toDateString();
        const text = today ? date.toLocaleTimeString() : date.toLocaleString();
        return make("time", {dateTime: started, title: date.toLocaleString()}, text);
    }

    function kindOf(endpoint) {
        return endpoint.split("/").pop();
    }

    // ---- the channel to Python

    /** Asks Python, one question at a time; a lost one fails after a while and piles nothing up. */
    class Channel {
        constructor(place) {
            this.place = place;
            this.waiting = [];
            this.current = null;
            this.serial = 0;
            this.lost = 0; // questions given up whose event may still come to its end
            this.down = false;
            this.retry = 0;
        }

        get busy() {
            return this.current !== null || this.waiting.length > 0;
        }

        ask(name, more = {}, patience = PATIENCE) {
            return new Promise((resolve, reject) => {
                const question = {id: ++this.serial, do: name, ...more};
                this.waiting.push({question, patience, resolve, reject, collected: false});
                this.next();
            });
        }

        next() {
            if (this.current || !this.waiting.length) return;
            this.current = this.waiting.shift();
            const ask = document.getElementById(`payload_capture_${this.place}_ask`);
            if (!ask) return this.fail("This page lost its connection to the webui: reload it.");
            const give = () => {
                this.lost += 1;
                this.fail(GONE);
            };
            this.current.timer = setTimeout(give, this.current.patience);
            ask.click();
        }

        collect() {
            return this.current ? JSON.stringify(this.current.question) : "";
        }

        answered(text) {
            let answer = {};
            try {
                answer = JSON.parse(text);
            } catch (error) {
                answer = {id: null}; // no answer yet: gradio's event failed
            }
            if (!this.current) return;
            if (answer.id !== this.current.question.id) {
                // An event that failed leaves the answer before it, and so does a lost one's end.
                if (this.lost > 0) this.lost -= 1;
                else this.fail(GONE);
                return;
            }
            this.lost = 0;
            this.down = false;
            if (answer.error) this.settle("reject", new Error(answer.error));
            else this.settle("resolve", answer);
        }

        fail(reason) {
            this.down = true;
            this.settle("reject", new Error(reason));
        }

        settle(how, what) {
            const current = this.current;
            this.current = null;
            clearTimeout(current.timer);
            current[how](what);
            this.next();
        }

        /** Whether anything answers at the webui's address; asked before a question after a failure. */
        async alive() {
            if (!this.down) return true;
            if (Date.now() < this.retry) return false;
            this.retry = Date.now() + PAUSE;
            const stop = new AbortController();
            const timer = setTimeout(() => stop.abort(), 5000);
            try {
                await fetch("internal/ping", {cache: "no-store", signal: stop.signal});
                this.down = false;
            } catch (error) {
                // still down
            }
            clearTimeout(timer);
            return !this.down;
        }
    }

    // ---- pictures

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
            const image = make("img", {class: className, alt, decoding: "async"});
            if (!source) return image;
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
            const open = [...this.wanted.entries()].filter(([, entry]) => !entry.asked);
            const batch = open.slice(0, 20);
            batch.forEach(([, entry]) => (entry.asked = true));
            this.timer = open.length > batch.length ? setTimeout(() => this.fetch(), 30) : null;
            const sources = batch.map(([, entry]) => entry.source);
            let found = null;
            try {
                const patience = PATIENCE_FOR_PICTURES;
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
            if (uri.startsWith("data:image/")) image.src = uri;
            else image.classList.add("pc-missing");
        }
    }

    function save(blob, name) {
        const url = URL.createObjectURL(blob);
        const link = make("a", {href: url, download: name});
        document.body.append(link);
        link.click();
        link.remove();
        setTimeout(() => URL.revokeObjectURL(url), 60000);
    }

    /** Shows one picture in full size over the page. */
    async function enlarge(channel, source, caption) {
        const picture = make("img", {class: "pc-full", alt: caption});
        const words = make("span", {class: "pc-caption", dir: "auto"}, "Loading…");
        const shut = () => dialog.close();
        const bar = make("div", {class: "pc-bar"}, words, button("Close", "Close the picture", shut));
        const dialog = make("dialog", {class: "payload-capture-dialog", "aria-label": caption}, picture, bar);
        dialog.addEventListener("click", (event) => event.target === dialog && shut());
        // The webui's own keys (Escape interrupts) are not meant while a picture is open.
        dialog.addEventListener("keydown", (event) => event.stopPropagation());
        const themed = document.querySelector(".gradio-container"); // has the theme's fonts and colours
        (themed || document.body).append(dialog);
        let url = null;
        dialog.addEventListener("close", () => {
            dialog.remove();
            if (url) URL.revokeObjectURL(url);
        });
        dialog.showModal();
        try {
            const {picture: uri} = await channel.ask("picture", {source}, PATIENCE_FOR_PICTURES);
            const blob = await (await fetch(uri)).blob(); // decodes base64 off this thread
            if (!dialog.isConnected) return; // closed meanwhile
            url = URL.createObjectURL(blob);
            picture.src = url;
            words.textContent = caption;
            const name = `picture.${blob.type.split("/")[1]}`;
            words.after(button("Download", "Download the picture", () => save(blob, name)));
        } catch (error) {
            words.textContent = error.message;
        }
    }

    // ---- copying

    /** Puts text on the clipboard. Over plain http from another machine only the old way exists. */
    async function copy(text) {
        if (navigator.clipboard && window.isSecureContext) {
            try {
                return await navigator.clipboard.writeText(text);
            } catch (error) {
                // not allowed; the old way may be
            }
        }
        copyByCommand(text);
    }

    function copyByCommand(text) {
        const before = document.activeElement;
        // The browser copies only what is selected; the text itself, maybe megabytes, need not be.
        const area = make("textarea", {class: "pc-offscreen", value: "x", "aria-hidden": "true"});
        const give = (event) => {
            event.clipboardData.setData("text/plain", text);
            event.preventDefault();
            event.stopImmediatePropagation();
        };
        document.body.append(area);
        area.select();
        document.addEventListener("copy", give, true);
        const done = document.execCommand("copy");
        document.removeEventListener("copy", give, true);
        area.remove();
        if (before && before.focus) before.focus({preventScroll: true});
        if (!done) throw new Error("the browser did not allow it");
    }

    // ---- the payload as a tree

    class Tree {
        /** `view` is the drawn capture; pictures and long texts are asked for by its id. */
        constructor(channel, thumbnails, capture) {
            this.channel = channel;
            this.thumbnails = thumbnails;
            this.capture = capture;
        }

        draw(node, label) {
            return make("ul", {class: "pc-tree", "aria-label": label}, ...this.items(node, [], 0));
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
            const li = make("li", {}, button(`Show ${rest.toLocaleString()} more`, "", all, "pc-small"));
            return [...some, li];
        }

        item(key, node, path, depth) {
            const name = make("span", {class: "pc-key", dir: "auto"}, String(key));
            const here = [...path, key];
            if (node.object || node.list) return this.branch(name, node, here, depth);
            return make("li", {class: "pc-leaf"}, name, this.leaf(node, here.join(" "), here));
        }

        branch(name, node, path, depth) {
            const length = (node.object || node.list).length;
            const noun = node.object ? "field" : "item";
            const note = length
                ? make("span", {class: "pc-note"}, count(length, noun)) : make("span", {class: "pc-text"});
            if (!length) return make("li", {class: "pc-leaf"}, name, note);
            const list = make("ul", {});
            const details = make("details", {}, make("summary", {}, name, note), list);
            const fill = () => {
                if (details.open && !list.childElementCount) list.append(...this.items(node, path, depth + 1));
            };
            details.addEventListener("toggle", fill);
            const simple = node.list && node.list.some((item) => item.picture);
            details.open = Boolean(simple) || (depth === 0 && length <= 8 && Boolean(node.list));
            fill();
            return make("li", {}, details);
        }

        leaf(node, name, path) {
            if (node.picture) return this.picture(node, name);
            if (node.value !== undefined) return make("span", {class: "pc-value"}, node.value);
            return this.text(node, path);
        }

        picture(node, name) {
            const known = typeof node.picture === "string";
            const source = known ? node.picture : {capture: this.capture, path: node.picture};
            const measure = node.size ? `${node.size[0]}×${node.size[1]} ` : "";
            const about = `${measure}${node.type.replace("image/", "")}, ${size(node.bytes)}`;
            const open = () => enlarge(this.channel, source, `${name}: ${about}`);
            const image = this.thumbnails.image(source, "");
            const properties = {type: "button", class: "pc-picture", onclick: open};
            const shown = make("button", {...properties, "aria-label": `Open ${name}, ${about}`}, image);
            return make("span", {class: "pc-pictured"}, shown, make("span", {class: "pc-note"}, about));
        }

        text(node, path) {
            const words = make("span", {class: "pc-text", dir: "auto"}, node.text);
            if (node.length <= node.text.length) return words;
            const shown = make("span", {class: "pc-long"}, words);
            const label = `Show all ${count(node.length, "character")}`;
            const toggle = button(label, "", async () => {
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

    // ---- one capture

    /** Draws a capture into `element`; the accordions draw its `brief` form. */
    class CaptureView {
        constructor(element, channel, thumbnails, {brief = false, disposers = null, previewer = null} = {}) {
            this.element = element;
            this.channel = channel;
            this.thumbnails = thumbnails;
            this.brief = brief;
            this.disposers = disposers;
            this.previewer = previewer;
            this.id = null;
            this.texts = new Map();
        }

        async show(id, preview = false) {
            this.id = id;
            this.preview = preview; // of what would be sent: nothing was generated
            this.texts.clear();
            let capture;
            try {
                ({capture} = await this.channel.ask("capture", {capture: id}));
            } catch (error) {
                if (this.id === id) this.message(error.message, "pc-bad");
                return;
            }
            if (this.id !== id) return; // another one was chosen meanwhile
            this.draw(capture);
            if (!capture.blocked && capture.weight <= LIGHT) this.text("payload").catch(() => {});
        }

        message(text, kind = "", ...more) {
            this.id = null;
            const said = make("p", {class: `pc-message ${kind}`}, text);
            this.element.replaceChildren(said, ...more.filter(Boolean));
        }

        draw(capture) {
            const tree = new Tree(this.channel, this.thumbnails, capture.id);
            const parts = [this.header(capture), this.actions(capture), this.trouble(capture)];
            if (!this.brief) parts.push(this.pictures(capture));
            parts.push(this.payload(capture, tree));
            if (!this.brief) parts.push(this.infotexts(capture), this.facts(capture));
            this.element.replaceChildren(...parts.filter(Boolean));
            if (!this.brief) this.element.scrollTop = 0;
        }

        header(capture) {
            const state = badges(capture);
            const ran = [`${capture.seconds.toFixed(1)} s`, `from ${SOURCES[capture.source]}`];
            const words = this.preview ? ["would be sent, nothing was generated"] : ran;
            if (capture.results.length) words.unshift(count(capture.results.length, "picture"));
            const kind = make("span", {class: "pc-kind"}, kindOf(capture.endpoint));
            const when = make("span", {class: "pc-note"}, moment(capture.started), ` · ${words.join(" · ")}`);
            return make("div", {class: "pc-header"}, kind, ...state, when);
        }

        actions(capture) {
            this.status = make("span", {class: "pc-status", role: "status"});
            const name = capture.id;
            const sendable = [
                button("Copy payload", "Copy the payload to the clipboard", () => this.copy("payload"), "pc-primary"),
                button("Download payload", "Download the payload as JSON",
                    () => this.download("payload", `${name}-payload.json`)),
            ];
            if (capture.blocked) {
                sendable.forEach((item) => Object.assign(item, {disabled: true, title: capture.blocked}));
            }
            const whole = [
                button("Copy capture", "Copy the whole capture to the clipboard", () => this.copy("document")),
                button("Download capture", "Download the whole capture as JSON",
                    () => this.download("document", `${name}.json`)),
            ];
            const bar = make("div", {class: "pc-actions"}, ...sendable);
            if (this.brief) {
                bar.append(button("All captures", "Open the Payloads tab", openTab));
                bar.append(...[this.previewer()].filter(Boolean));
            } else bar.append(...whole, ...this.disposers(capture.id));
            bar.append(this.status);
            return bar;
        }

        trouble(capture) {
            const said = capture.warnings.map((warning) => {
                const place = warning.path ? make("code", {dir: "auto"}, warning.path) : null;
                const words = [place, make("span", {dir: "auto"}, warning.reason)].filter(Boolean);
                const means = make("span", {class: "pc-note"}, MEANINGS[warning.severity]);
                return make("li", {class: `pc-${warning.severity}`}, ...words, means);
            });
            if (capture.error) {
                const words = make("span", {dir: "auto"}, capture.error);
                said.unshift(make("li", {class: "pc-blocks"}, make("b", {}, "The job failed: "), words));
            } else if (capture.state === "interrupted") {
                said.unshift(make("li", {class: "pc-pixels"}, "The job was interrupted: sent again, it runs to its end."));
            }
            return said.length ? make("ul", {class: "pc-warnings", "aria-label": "Warnings"}, ...said) : null;
        }

        pictures(capture) {
            const figures = capture.results.map((result, index) => {
                const measure = `${result.size[0]}×${result.size[1]}`;
                const seed = result.seed ? `seed ${result.seed}` : "";
                const words = [result.role === "sample" ? "" : result.role, measure, seed].filter(Boolean);
                const caption = words.join(" · ");
                const image = this.thumbnails.image(result.thumbnail, "", "pc-result");
                image.style.aspectRatio = result.size.join("/"); // so that nothing moves when it comes
                const open = () => enlarge(this.channel, result.asset, caption);
                const label = `Open picture ${index + 1}, ${caption}`;
                const properties = {type: "button", class: "pc-picture", onclick: open, "aria-label": label};
                const shown = make("button", {...properties, disabled: !result.asset}, image);
                return make("figure", {}, shown, make("figcaption", {}, caption));
            });
            return figures.length ? make("div", {class: "pc-results"}, ...figures) : null;
        }

        payload(capture, tree) {
            const title = `POST ${capture.endpoint}`;
            const parts = [make("summary", {}, "Payload ", make("code", {}, title))];
            if (capture.payload.object.length) parts.push(tree.draw(capture.payload, "Payload"));
            else parts.push(make("p", {class: "pc-note"}, "The payload is empty."));
            if (capture.template) {
                parts.push(make("p", {class: "pc-note"}, "What was typed, where the job drew a value of its own:"));
                parts.push(tree.draw(capture.template, "What was typed"));
            }
            if (capture.resolved) {
                parts.push(make("p", {class: "pc-note"}, "What styles, wildcards and scripts made of the prompts:"));
                parts.push(tree.draw(capture.resolved, "What the prompts became"));
            }
            return make("details", {class: "pc-section", open: true}, ...parts);
        }

        infotexts(capture) {
            const texts = [...new Set(capture.results.map((result) => result.infotext).filter(Boolean))];
            if (!texts.length) return null;
            const blocks = texts.slice(0, 20).map((text) => make("pre", {dir: "auto"}, text));
            const more = texts.length - blocks.length;
            if (more) blocks.push(make("p", {class: "pc-note"}, `and ${more} more in the capture`));
            return make("details", {class: "pc-section"}, make("summary", {}, "Infotext"), ...blocks);
        }

        facts(capture) {
            const rows = capture.facts.flatMap(([label, value]) => [
                make("dt", {}, label),
                make("dd", {dir: "auto"}, value),
            ]);
            const list = make("dl", {}, ...rows);
            return make("details", {class: "pc-section"}, make("summary", {}, "Made with"), list);
        }

        /** The payload's or the document's text, asked for once. */
        text(kind) {
            if (!this.texts.has(kind)) {
                const made = {value: null};
                const question = {capture: this.id};
                made.promise = this.channel.ask(kind, question, PATIENCE_FOR_PICTURES).then((answer) => {
                    made.value = answer.text;
                    return answer.text;
                });
                made.promise.catch(() => this.texts.delete(kind));
                this.texts.set(kind, made);
            }
            return this.texts.get(kind).promise;
        }

        async copy(kind) {
            // Browsers allow copying for a short time after a press, so no waiting where none is needed.
            let text = (this.texts.get(kind) || {}).value;
            try {
                if (!text) {
                    this.say("Fetching…");
                    text = await this.text(kind);
                }
            } catch (error) {
                return this.say(`Not copied: ${error.message}`, true);
            }
            try {
                await copy(text);
                this.say(`Copied, ${size(text.length)}`);
            } catch (error) {
                this.say(`Not copied: ${error.message}. It is ready now: press again, or download it.`, true);
            }
        }

        async download(kind, name) {
            try {
                this.say("Fetching…");
                save(new Blob([await this.text(kind)], {type: "application/json"}), name);
                this.say(`Saved as ${name}`);
            } catch (error) {
                this.say(`Not downloaded: ${error.message}`, true);
            }
        }

        say(text, bad = false) {
            this.status.textContent = text;
            this.status.classList.toggle("pc-bad", bad);
        }
    }

    const SOURCES = {ui: "the page", api: "the API", script: "a script"};
    const MEANINGS = {
        blocks: "cannot be sent again as it is",
        pixels: "may change the picture",
        cosmetic: "does not change the picture",
    };

    function badges(row) {
        const made = [];
        const add = (text, kind) => made.push(make("span", {class: `pc-badge ${kind}`}, text));
        if (row.state === "failed") add("failed", "pc-bad");
        if (row.state === "interrupted") add("interrupted", "pc-fair");
        if (row.failure) add("not captured", "pc-bad");
        return made;
    }

    function openTab() {
        const panel = document.getElementById("tab_payload_capture");
        if (!panel) return;
        // gradio 3 gives the buttons no ids, and the webui translates their texts.
        const panels = [...panel.parentElement.children].filter((child) => child.matches(".tabitem"));
        const opener = document.querySelectorAll("#tabs > .tab-nav > button")[panels.indexOf(panel)];
        if (opener) opener.click();
    }

    // ---- the tab

    class Tab {
        constructor(element) {
            this.element = element;
            this.channel = new Channel("tab");
            this.thumbnails = new Thumbnails(this.channel);
            this.rows = [];
            this.items = new Map();
            this.edition = null;
            this.cursor = null;
            this.selected = null;
            this.standing = ""; // what the webui has to say about capturing as a whole
            this.visible = false;
            this.trash = false; // whether the list is that of the trash
            this.listed = false; // what `trash` was when the rows came
            this.moved = null; // the capture that Undo takes out of the trash
            this.follows = true; // until somebody chooses a capture that is not the newest
            this.build();
            this.timer = setInterval(() => this.poll(), POLL);
        }

        close() {
            clearInterval(this.timer);
        }

        build() {
            this.notice = make("p", {class: "pc-message pc-bad", role: "status", hidden: true});
            this.list = make("ul", {class: "pc-list", "aria-label": "Captures, newest first"});
            this.more = button("Show older", "Show older captures", () => this.older(), "pc-more");
            this.more.hidden = true;
            this.detail = make("section", {class: "pc-detail", "aria-label": "The chosen capture"});
            const disposers = (id) => this.disposers(id);
            this.view = new CaptureView(this.detail, this.channel, this.thumbnails, {disposers});
            this.left = make("nav", {class: "pc-left", "aria-label": "Captures"}, this.list, this.more);
            this.left.addEventListener("keydown", (event) => this.arrow(event));
            this.empty = make("div", {class: "pc-empty", hidden: true},
                make("h2", {}, "No captures yet"),
                make("p", {}, "Generate a picture in txt2img or img2img, or send a request to the API. ",
                    "It appears here by itself when the job ends, as the payload that makes it again."));
            this.columns = make("div", {class: "pc-columns", hidden: true}, this.left, this.detail);
            this.element.replaceChildren(this.notice, this.line(), this.empty, this.columns);
        }

        /** What was moved to the trash, with the way back; the ways into the trash and out of it. */
        line() {
            this.said = make("span", {class: "pc-said", role: "status"});
            const undo = () => this.act("restore", this.moved);
            this.undo = button("Undo", "Take the capture out of the trash again", undo, "pc-small");
            this.emptier = sureButton("Empty the trash", "Really delete all, for good?", () => this.emptyTrash());
            this.turner = button("Trash", "", () => this.turn());
            this.turner.hidden = true;
            this.speak();
            return make("div", {class: "pc-line"}, this.said, this.undo, this.emptier, this.turner);
        }

        speak(trouble = "") {
            const here = "The trash: what lies here is deleted for good after the days that Settings name.";
            this.said.textContent = trouble || (this.trash ? here : this.moved ? "Moved to the trash." : "");
            this.said.classList.toggle("pc-bad", Boolean(trouble));
            this.undo.hidden = this.trash || !this.moved;
            this.emptier.hidden = !this.trash;
            this.turner.textContent = this.trash ? "Back to captures" : "Trash";
        }

        get shown() {
            return this.element.offsetParent !== null && !document.hidden;
        }

        async poll() {
            const shown = this.shown;
            // What can change without a capture, such as settings, is asked for when the tab opens.
            if (shown && !this.visible) this.edition = null;
            this.visible = shown;
            if (!shown || this.channel.busy || this.polling) return;
            this.polling = true;
            try {
                if (await this.channel.alive()) await this.refresh();
                else this.tell(GONE);
            } catch (error) {
                this.tell(error.message);
            }
            this.polling = false;
        }

        async refresh() {
            const trash = this.trash;
            const shown = trash === this.listed ? this.rows.length : 0;
            const answer = await this.channel.ask("captures", {known: this.edition, shown, trash});
            if (trash !== this.trash) return; // turned meanwhile: asked again
            if (!answer.captures) {
                if (this.lostTouch) this.tell(this.standing);
                return this.follow();
            }
            const first = this.edition === null && !this.rows.length;
            this.edition = answer.edition;
            this.standing = answer.notice;
            this.tell(answer.notice);
            this.turner.hidden = !answer.trash && !trash;
            if (trash && !answer.captures.length) return this.turn();
            if (trash !== this.listed) this.clear(trash);
            // Rows that were loaded before, older than the answer's oldest, stay.
            const oldest = answer.captures.length ? answer.captures[answer.captures.length - 1].id : null;
            const joint = this.rows.findIndex((row) => row.id === oldest);
            const tail = answer.next === null || joint < 0 ? [] : this.rows.slice(joint + 1);
            if (!tail.length) this.cursor = answer.next;
            this.arrange([...answer.captures, ...tail], first);
            if (this.selected && !this.items.has(this.selected)) this.removed(this.selected);
            this.mark(this.selected);
            this.follow();
        }

        /** Go to the trash or come back; what is shown stays until the other rows are there. */
        turn() {
            this.trash = !this.trash;
            this.edition = null;
            this.moved = null;
            this.speak();
            this.poll();
        }

        clear(trash) {
            this.listed = trash;
            this.rows = [];
            this.selected = null;
            this.follows = true;
            this.view.message("");
        }

        /** The buttons by which the shown capture goes or comes back. */
        disposers(id) {
            const trash = () => this.act("trash", id);
            if (!this.listed) return [button("Delete", "Move this capture to the trash", trash, "pc-danger")];
            const restore = () => this.act("restore", id);
            return [
                button("Restore", "Take this capture out of the trash", restore),
                sureButton("Delete for good", "Really, for good?", () => this.act("delete", id)),
            ];
        }

        async act(name, id) {
            try {
                await this.channel.ask(name, {capture: id});
            } catch (error) {
                return this.speak(`Not done: ${error.message}`);
            }
            const undone = name === "restore" && !this.listed;
            this.moved = name === "trash" ? id : null;
            this.speak();
            if (undone) this.show(id); // its row comes with the next answer
            else this.removed(id);
        }

        async emptyTrash() {
            this.emptier.disabled = true;
            try {
                await this.channel.ask("empty", {}, PATIENCE_FOR_PICTURES);
            } catch (error) {
                this.speak(`Not emptied: ${error.message}`);
            }
            this.emptier.disabled = false;
        }

        /** Show the newest, but change nothing under a pointer that is about to press. */
        follow() {
            const newest = this.rows[0];
            if (!this.follows || !newest || newest.id === this.selected) return;
            if (this.selected === null || !this.detail.matches(":hover, :focus-within")) this.show(newest.id);
        }

        async older() {
            this.more.disabled = true;
            try {
                const trash = this.listed;
                const answer = await this.channel.ask("older", {cursor: this.cursor, trash});
                if (trash !== this.listed) return;
                this.cursor = answer.next;
                const known = answer.captures.filter((row) => !this.items.has(row.id));
                this.arrange([...this.rows, ...known], true);
            } catch (error) {
                this.speak(error.message);
            } finally {
                this.more.disabled = false;
            }
        }

        /** Show these rows, keeping the elements of those that are there: focus and scroll stay. */
        arrange(rows, quiet) {
            this.rows = rows;
            const items = new Map();
            for (const row of rows) {
                let item = this.items.get(row.id);
                if (!item) {
                    item = this.item(row);
                    if (!quiet) item.classList.add("pc-new");
                }
                items.set(row.id, item);
            }
            for (const [id, item] of this.items) if (!items.has(id)) item.remove();
            let next = this.list.firstElementChild;
            for (const item of items.values()) {
                if (item === next) next = next.nextElementSibling;
                else this.list.insertBefore(item, next);
            }
            this.items = items;
            this.more.hidden = this.cursor === null;
            this.empty.hidden = rows.length > 0 || this.listed;
            this.columns.hidden = rows.length === 0;
        }

        item(row) {
            const prompt = make("span", {class: "pc-prompt", dir: "auto"}, row.prompt || "(no prompt)");
            const measure = row.size[0] && row.size[1] ? `${row.size[0]}×${row.size[1]}` : "";
            const pictures = row.pictures > 1 ? count(row.pictures, "picture") : "";
            const words = [kindOf(row.endpoint), measure, row.seed && `seed ${row.seed}`, pictures];
            const facts = make("span", {class: "pc-note"}, words.filter(Boolean).join(" · "));
            const warned = row.warnings && !row.failure ? ` · ${count(row.warnings, "warning")}` : "";
            const when = make("span", {class: "pc-note"}, ...badges(row), moment(row.started),
                ` · ${SOURCES[row.source]}${warned}`);
            const model = row.model ? make("span", {class: "pc-note pc-model", dir: "auto"}, row.model) : null;
            const reason = row.failure || row.error;
            const why = reason ? make("span", {class: "pc-reason", dir: "auto"}, reason) : null;
            const text = make("span", {class: "pc-lines"}, prompt, facts, model, when, why);
            const image = this.thumbnails.image(row.thumbnail, "");
            const face = row.thumbnail ? image : make("span", {class: "pc-thumb pc-missing"});
            const choose = () => this.choose(row.id);
            return make("li", {}, make("button", {type: "button", class: "pc-row", onclick: choose}, face, text));
        }

        choose(id) {
            this.moved = null;
            this.speak();
            this.follows = id === this.rows[0].id;
            this.show(id);
        }

        show(id) {
            this.mark(id);
            this.view.show(id);
        }

        mark(id) {
            for (const [known, item] of this.items) {
                item.firstElementChild.setAttribute("aria-current", String(known === id));
            }
            this.selected = id;
        }

        arrow(event) {
            const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
            if (!step) return;
            const index = this.rows.findIndex((row) => row.id === this.selected) + step;
            const row = this.rows[index];
            if (!row) return;
            event.preventDefault();
            this.choose(row.id);
            this.items.get(row.id).firstElementChild.focus();
        }

        removed(id) {
            const index = this.rows.findIndex((row) => row.id === id);
            const rest = this.rows.filter((row) => row.id !== id);
            this.arrange(rest, true);
            if (this.selected !== id) return;
            this.selected = null;
            const next = rest[Math.min(Math.max(index, 0), rest.length - 1)];
            if (next) this.show(next.id);
            else this.view.message("");
        }

        tell(text) {
            this.lostTouch = text !== this.standing;
            this.notice.textContent = text;
            this.notice.hidden = !text;
        }
    }

    // ---- the accordions

    /** Shows the payload of the job that this page's Generate button started last. */
    class Accordion {
        constructor(element, tab) {
            this.tab = tab;
            this.element = element;
            this.channel = new Channel(tab);
            this.thumbnails = new Thumbnails(this.channel);
            const previewer = () => this.previewer();
            this.view = new CaptureView(element, this.channel, this.thumbnails, {brief: true, previewer});
            this.opening();
            this.shown = null;
            this.due = null;
            this.timers = new Set();
            const see = (entries) => entries.some((entry) => entry.isIntersecting) && this.draw();
            this.observers = [new IntersectionObserver(see)];
            this.observers[0].observe(element);
            this.watch(`html_log_${tab}`, {childList: true, subtree: true, characterData: true}, [150]);
            this.watch(`${tab}_interrupt`, {attributes: true, attributeFilter: ["style"]}, [150, 1500]);
            const log = document.getElementById(`html_log_${tab}`);
            if (log && log.textContent.trim()) this.later(150); // a job ended before this script was ready
        }

        opening() {
            const words = "Generate: the payload of your job appears here by itself when it ends.";
            this.view.message(words, "", this.previewer());
        }

        /** A button that shows what Generate would send; null where the page has none to press. */
        previewer() {
            const hidden = document.getElementById(`payload_capture_${this.tab}_preview`);
            if (!hidden) return null;
            const label = "Show what Generate would send, without making a picture";
            return button("What would be sent", label, () => {
                this.view.message("Asking the webui…");
                hidden.click();
            });
        }

        /** Look for the job's result again, `delays` ms after an element of the webui changed. */
        watch(id, what, delays) {
            const element = document.getElementById(id);
            if (!element) return;
            const observer = new MutationObserver(() => delays.forEach((delay) => this.later(delay)));
            observer.observe(element, what);
            this.observers.push(observer);
        }

        close() {
            this.observers.forEach((observer) => observer.disconnect());
        }

        later(delay) {
            if (this.timers.has(delay)) return;
            this.timers.add(delay);
            setTimeout(() => {
                this.timers.delete(delay);
                const again = document.getElementById(`payload_capture_${this.tab}_again`);
                if (again) again.click();
            }, delay);
        }

        /** Python found which capture the page's result belongs to. */
        job(text) {
            let told;
            try {
                told = JSON.parse(text);
            } catch (error) {
                return; // its event failed; the next one tells
            }
            const {id, preview, missing} = told;
            if (id) this.due = {id, preview};
            else if (told.failed) this.due = {id: null, failed: true};
            else if (missing) this.due = {id: null, missing, preview};
            else return;
            if (this.element.offsetParent !== null) this.draw();
        }

        draw() {
            const due = this.due;
            this.due = null;
            if (!due) return;
            if (due.id === null) {
                this.shown = null;
                const words = due.failed ? "The last job failed. The Payloads tab shows why." : due.missing;
                const opener = button("Open Payloads", "Open the Payloads tab", openTab);
                this.view.message(words, "pc-bad", due.preview ? null : opener, this.previewer());
            } else if (due.id !== this.shown) {
                this.shown = due.id;
                this.view.show(due.id, due.preview);
            }
        }
    }

    // ---- start

    const places = new Map();

    function attach() {
        for (const element of document.querySelectorAll(".payload-capture[data-place]:not([data-drawn])")) {
            const name = element.dataset.place;
            element.dataset.drawn = "1";
            const prose = element.closest(".prose"); // gradio's style for running text
            if (prose) prose.classList.remove("prose");
            if (places.has(name)) places.get(name).close(); // gradio drew the place anew
            places.set(name, name === "tab" ? new Tab(element) : new Accordion(element, name));
        }
    }

    function listen(name, act) {
        document.addEventListener(`payload_capture:${name}`, (event) => {
            const place = places.get(event.detail.place);
            if (place) act(place, event.detail);
        });
    }

    listen("ask", (place, detail) => {
        detail.question = place.channel.collect();
    });
    listen("answer", (place, detail) => place.channel.answered(detail.text));
    listen("job", (place, detail) => place.job && place.job(detail.text));

    if (typeof onAfterUiUpdate === "function") onAfterUiUpdate(attach);
    else if (typeof onUiUpdate === "function") onUiUpdate(attach);
})();
