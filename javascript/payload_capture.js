// Finds the places that Python put on the page, brings the script that draws in them, and lets each
// draw itself.
//
// The webui makes its page wait for every script of this folder and for an extension's style, so
// there is only this one. The others lie, with the style, in a folder that it does not look into,
// and are fetched once the page is there and has nothing else to do; Python lists them with the time
// of their last change, so that no browser keeps an old one. They only define what this one starts,
// so the order in which they are loaded does not matter.
//
// Prompts and everything else that came from outside become text nodes: nothing is parsed as HTML.
((pc) => {
    "use strict";

    if (pc.places) return; // this file was loaded twice
    const places = new Map();
    const generated = new Map();
    const PATIENCE = 2000;
    const own = document.currentScript.src;
    let brought = null; // the promise that all scripts ran

    function attach() {
        const elements = document.querySelectorAll(".payload-capture[data-place]:not([data-drawn])");
        if (!elements.length) return;
        brought ||= leisure().then(() => bring(elements[0].dataset.parts.split(" ")));
        brought.then(() => elements.forEach(draw), (error) => elements.forEach((one) => complain(one, error)));
    }

    /** When the page has nothing else to do. */
    function leisure() {
        return new Promise((resolve) => {
            if (window.requestIdleCallback) requestIdleCallback(resolve, {timeout: PATIENCE});
            else setTimeout(resolve); // Safari
        });
    }

    function bring(names) {
        return Promise.all(names.map((name) => new Promise((resolve, reject) => {
            const url = new URL(`parts/${name}`, own).href;
            const part = /\.css\b/.test(name)
                ? Object.assign(document.createElement("link"), {rel: "stylesheet", href: url})
                : Object.assign(document.createElement("script"), {src: url});
            part.onload = resolve;
            part.onerror = () => reject(new Error(url));
            document.head.append(part);
        })));
    }

    function draw(element) {
        if (element.dataset.drawn || !element.isConnected) return;
        const name = element.dataset.place;
        element.dataset.drawn = "1";
        const prose = element.closest(".prose"); // gradio's style for running text
        if (prose) prose.classList.remove("prose");
        if (places.has(name)) places.get(name).close(); // gradio drew the place anew
        places.set(name, name === "tab" ? new pc.Tab(element) : new pc.Accordion(element, name));
    }

    function complain(element, error) {
        element.dataset.drawn = "1";
        const t = pc.t || ((text, {file}) => text.replace("{file}", file)); // what has words did not come either
        element.textContent = t("Payloads cannot be shown: {file} did not load. Reload the page to try again.", {file: error.message});
    }

    // What the page knows of each tab's last job; told once, maybe before the other scripts are there.
    document.addEventListener("payload_capture:generated", ({detail: {place, text}}) => {
        generated.set(place, text);
        if (places.has(place)) places.get(place).later(0);
    });

    if (typeof onAfterUiUpdate === "function") onAfterUiUpdate(attach);
    else if (typeof onUiUpdate === "function") onUiUpdate(attach);

    Object.assign(pc, {places, generated});
})((window.payloadCapture = window.payloadCapture || {}));
