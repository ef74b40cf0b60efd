// What can be taken along of a capture: each form as text, to copy and to download.
((pc) => {
    "use strict";

    // By the name that Python knows: what its tab says, its language, whether pictures can lie
    // beside it as files, and what it is.
    const FORMATS = {
        payload: ["Payload", "json", false, "The body to POST, nothing else."],
        curl: ["curl", "shell", true, "A script for bash that sends it and saves the pictures."],
        requests: ["Python", "python", true, "Python with the package requests."],
        fetch: ["JavaScript", "javascript", true, "For a browser's console."],
        node: ["Node", "javascript", true, "JavaScript for Node 18 or newer."],
        powershell: ["PowerShell", "powershell", true, "For Windows, without curl."],
        "curl-cmd": ["curl (cmd)", "shell", true, "A batch file for Windows' cmd."],
        httpie: ["HTTPie", "shell", true, "A script for bash with HTTPie."],
        python: ["payload-replay", "python", true, "Python with this project's own client."],
        pytest: ["pytest", "python", true, "A test that sends it and expects the same pictures."],
        json: ["Capture", "json", false, "All that is known, as one file that can be imported again."],
        bundle: ["Bundle", "json", false, "The same as a zip, with the pictures as files."],
        har: ["HAR", "json", false, "An HTTP archive, as browsers save it."],
        postman: ["Postman", "json", false, "A collection for Postman."],
    };

    class Take {
        constructor(view, capture) {
            Object.assign(this, {view, capture});
            this.chosen = view.taken; // stays from one capture to the next
            this.copies = new pc.Copies((text, bad) => this.say(text, bad));
        }

        draw() {
            this.tabs = pc.make("div", {class: "pc-tabs", role: "tablist", "aria-label": pc.t("Forms")});
            for (const [name, [text]] of Object.entries(FORMATS)) {
                const choose = () => this.choose(name);
                this.tabs.append(pc.make("button", {type: "button", role: "tab", class: "pc-tab", id: this.id(name), onclick: choose}, pc.t(text)));
            }
            this.tabs.addEventListener("keydown", (event) => this.pressed(event));
            this.minimal = this.turner(pc.t("Minimal"), pc.t("Without what this webui fills in by itself"), "minimal");
            this.beside = this.turner(pc.t("Pictures as files"), pc.t("A zip of the program and its pictures, instead of the pictures within"), "beside");
            this.status = pc.make("span", {class: "pc-status", role: "status"});
            this.copier = pc.button(pc.t("Copy"), "", () => this.copy());
            this.saver = pc.button(pc.t("Download"), "", () => this.download());
            this.about = pc.make("div", {class: "pc-note"});
            this.text = pc.make("pre", {class: "pc-code", dir: "ltr", tabIndex: 0});
            this.panel = pc.make("div", {role: "tabpanel"}, this.about,
                pc.make("div", {class: "pc-bar"}, this.copier, this.saver, this.minimal.label, this.beside.label, this.status), this.text);
            const section = pc.make("details", {class: "pc-section", open: this.capture.light},
                pc.make("summary", {}, pc.t("Take it along")), this.tabs, this.panel);
            this.mark();
            this.whenSeen();
            return section;
        }

        /** Ask for the text when its place comes into view, which it does when the section opens. */
        whenSeen() {
            const see = (entries) => {
                if (!this.text.isConnected) return observer.disconnect();
                if (!entries.some((entry) => entry.isIntersecting)) return;
                observer.disconnect();
                this.show();
            };
            const observer = new IntersectionObserver(see);
            observer.observe(this.panel);
        }

        id(name) {
            return `payload_capture_take_${name}`;
        }

        turner(text, title, name) {
            const box = pc.make("input", {type: "checkbox", role: "switch", checked: this.chosen[name]});
            box.addEventListener("change", () => {
                this.chosen[name] = box.checked;
                this.mark();
                this.show();
            });
            return {box, label: pc.make("label", {class: "pc-switch", title}, box, text)};
        }

        choose(name) {
            this.chosen.format = name;
            this.mark();
            this.show();
        }

        pressed(event) {
            const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
            if (!step) return;
            const names = Object.keys(FORMATS);
            const index = (names.indexOf(this.chosen.format) + step + names.length) % names.length;
            this.choose(names[index]);
            this.tabs.children[index].focus();
            event.preventDefault();
            event.stopPropagation();
        }

        mark() {
            const {format} = this.chosen;
            const [, , able, about] = FORMATS[format];
            [...this.tabs.children].forEach((tab) => {
                const chosen = tab.id === this.id(format);
                tab.setAttribute("aria-selected", String(chosen));
                tab.tabIndex = chosen ? 0 : -1;
            });
            this.panel.setAttribute("aria-labelledby", this.id(format));
            this.about.textContent = pc.t(about);
            this.beside.box.disabled = !able;
            this.copier.disabled = format === "bundle";
            this.copier.title = this.copier.disabled ? pc.t("A zip cannot be copied: download it.") : "";
            this.say("");
        }

        get question() {
            const {format, minimal, beside} = this.chosen;
            const form = minimal ? "minimal" : "exact";
            const server = window.location.origin + window.location.pathname;
            return {capture: this.capture.id, format, form, beside: beside && FORMATS[format][2], server};
        }

        ask(question, whole) {
            return this.view.channel.ask("export", {...question, whole}, pc.PATIENCE_FOR_PICTURES);
        }

        async show() {
            const {question} = this;
            const key = JSON.stringify(question);
            this.shown = key;
            this.text.classList.add("pc-stale");
            try {
                const told = await this.ask(question, false);
                if (this.shown !== key) return; // another one was chosen meanwhile
                if (!told.cut) this.copies.keep(key, told.text);
                const more = told.cut ? [pc.make("p", {}, pc.t("The beginning of {size}. Copy and Download take all of it.", {size: pc.size(told.size)}))] : [];
                this.text.replaceChildren(pc.coloured(told.text, FORMATS[question.format][1]));
                this.about.replaceChildren(pc.t(FORMATS[question.format][3]), this.files(told), ...more);
            } catch (error) {
                if (this.shown !== key) return;
                this.text.replaceChildren();
                this.say(error.message, true);
            } finally {
                if (this.shown === key) this.text.classList.remove("pc-stale");
            }
        }

        files({files}) {
            const listed = files.slice(0, 20).map(([name, size]) => pc.make("li", {}, pc.make("code", {dir: "auto"}, name), ` ${pc.size(size)}`));
            if (files.length > listed.length) listed.push(pc.make("li", {}, pc.t("and {count} more", {count: files.length - listed.length})));
            return listed.length ? pc.make("ul", {class: "pc-files", "aria-label": pc.t("Files in the zip")}, ...listed) : "";
        }

        copy() {
            const {question} = this;
            return this.copies.copy(JSON.stringify(question), async () => (await this.ask(question, true)).text);
        }

        async download() {
            try {
                this.say(pc.t("Fetching…"));
                const made = await this.ask(this.question, true);
                const blob = made.data ? await (await fetch(`data:${made.type};base64,${made.data}`)).blob() : new Blob([made.text], {type: made.type});
                pc.save(blob, made.name);
                this.say(pc.t("Saved as {name}", {name: made.name}));
            } catch (error) {
                this.say(pc.t("Not downloaded: {reason}", {reason: error.message}), true);
            }
        }

        say(text, bad = false) {
            this.status.textContent = text;
            this.status.classList.toggle("pc-bad", bad);
        }
    }

    Object.assign(pc, {Take});
})((window.payloadCapture = window.payloadCapture || {}));
