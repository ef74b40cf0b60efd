// Files that are dropped on the tab, chosen or pasted become captures.
((pc) => {
    "use strict";

    const PORTION = 4 << 20; // bytes that travel in one question
    const LARGEST = 256 << 20; // bytes of a file, as Python takes them from the page
    const TOLD = 5; // faults that get a message of their own

    class Importer {
        /** `element` is where files may be dropped, `show` is told the id of the first capture. */
        constructor(element, channel, show) {
            Object.assign(this, {element, channel, show});
            this.stop = new AbortController();
            this.chooser = pc.make("input", {type: "file", multiple: true, hidden: true, tabIndex: -1});
            this.chooser.addEventListener("change", () => {
                const files = [...this.chooser.files];
                this.chooser.value = "";
                this.take(files);
            });
            const choose = pc.button(pc.t("Import"), "", () => this.chooser.click());
            choose.title = pc.t("A PNG, JSON, HAR, zip or a curl line: choose a file, drop one here, or paste the text");
            this.button = pc.make("span", {}, choose, this.chooser);
            this.veil = pc.make("div", {class: "pc-veil", hidden: true}, pc.t("Drop a PNG, a JSON, a HAR or a curl line to import it"));
            const {signal} = this.stop;
            for (const kind of ["dragenter", "dragover"]) element.addEventListener(kind, (event) => this.over(event), {signal});
            element.addEventListener("dragleave", (event) => this.left(event), {signal});
            element.addEventListener("drop", (event) => this.dropped(event), {signal});
            document.addEventListener("paste", (event) => this.pasted(event), {signal});
        }

        close() {
            this.stop.abort();
        }

        over(event) {
            const {types} = event.dataTransfer;
            if (!types.includes("Files") && !types.includes("text/plain")) return;
            event.preventDefault(); // this place takes it
            event.dataTransfer.dropEffect = "copy";
            this.veil.hidden = false;
        }

        left(event) {
            if (!this.element.contains(event.relatedTarget)) this.veil.hidden = true;
        }

        dropped(event) {
            event.preventDefault();
            event.stopPropagation();
            this.veil.hidden = true;
            this.takeFrom(event.dataTransfer, pc.t("dropped text"));
        }

        pasted(event) {
            const editable = event.target.closest && event.target.closest("input, textarea, [contenteditable]");
            if (editable || this.element.offsetParent === null) return;
            if (this.takeFrom(event.clipboardData, pc.t("pasted text"))) event.preventDefault();
        }

        takeFrom(transfer, name) {
            const text = transfer.getData("text/plain");
            const files = [...transfer.files];
            if (!files.length && text.trim()) files.push(new File([text], name));
            if (files.length) this.take(files);
            return files.length > 0;
        }

        /** Import files one after the other, and say what came of them. */
        async take(files) {
            const told = {imported: [], known: [], failed: []};
            const away = pc.toast(pc.t("Importing…"), {lasting: true});
            for (const file of files) {
                try {
                    const made = await this.send(file);
                    told.imported.push(...made.imported);
                    told.known.push(...made.known);
                    made.failed.forEach(({number, message}) => told.failed.push(`${file.name}, ${number}: ${message}`));
                    const more = made.failures - made.failed.length;
                    if (more) told.failed.push(pc.t("{name}: {count} more failed", {name: file.name, count: more}));
                } catch (error) {
                    told.failed.push(`${file.name}: ${error.message}`);
                }
            }
            away();
            this.tell(told);
            const [first] = [...told.imported, ...told.known];
            if (first) this.show(first);
        }

        tell({imported, known, failed}) {
            if (imported.length) pc.toast(imported.length === 1 ? pc.t("Imported.") : pc.t("Imported {count} captures.", {count: imported.length}));
            if (known.length) pc.toast(known.length === 1 ? pc.t("This capture was here already.") : pc.t("{count} captures were here already.", {count: known.length}));
            failed.slice(0, TOLD).forEach((reason) => pc.toast(pc.t("Not imported: {reason}", {reason}), {bad: true}));
            if (failed.length > TOLD) pc.toast(pc.t("and {count} more that failed", {count: failed.length - TOLD}), {bad: true});
        }

        async send(file) {
            if (file.size > LARGEST) {
                const most = pc.size(LARGEST);
                throw new Error(pc.t("it has {size}, and the page takes {most} at most. Send it to POST /payload-capture/v1/captures.", {size: pc.size(file.size), most}));
            }
            const upload = `${Date.now()}-${Math.random()}`;
            let told = null;
            for (let number = 0, start = 0; told === null || start < file.size; number += 1, start += PORTION) {
                const data = await base64(file.slice(start, start + PORTION));
                const last = start + PORTION >= file.size;
                told = await this.channel.ask("upload", {upload, number, data, last}, pc.PATIENCE_FOR_PICTURES);
            }
            return told;
        }
    }

    /** The bytes of a blob as base64, made off this thread. */
    function base64(blob) {
        return new Promise((resolve, reject) => {
            const reader = new FileReader();
            reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
            reader.onerror = () => reject(new Error(pc.t("the browser cannot read it")));
            reader.readAsDataURL(blob);
        });
    }

    Object.assign(pc, {Importer});
})((window.payloadCapture = window.payloadCapture || {}));
