// Finds the places that Python put on the page, brings the script that draws in them, and lets each
// draw itself.
//
// The webui makes its page wait for every script of this folder, so there are only this one and its
// words. The others lie in a folder that it does not look into, and are fetched once the page is
// there; Python lists them with the time of their last change, so that no browser keeps an old one.
// They only define what this one starts, so the order in which they are loaded does not matter.
//
// Prompts and everything else that came from outside become text nodes: nothing is parsed as HTML.
((pc) => {
    "use strict";

    if (pc.places) return; // this file was loaded twice
    const places = new Map();
    const own = document.currentScript.src;
    let brought = null; // the promise that all scripts ran

    function attach() {
        const elements = document.querySelectorAll(".payload-capture[data-place]:not([data-drawn])");
        if (!elements.length) return;
        brought ||= bring(elements[0].dataset.scripts.split(" "));
        brought.then(() => elements.forEach(draw), (error) => elements.forEach((one) => complain(one, error)));
    }

    function bring(names) {
        return Promise.all(names.map((name) => new Promise((resolve, reject) => {
            const src = new URL(`parts/${name}`, own).href;
            const failed = () => reject(new Error(src));
            document.head.append(Object.assign(document.createElement("script"), {src, onload: resolve, onerror: failed}));
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
        const words = {file: error.message};
        element.textContent = pc.t("Payloads cannot be shown: {file} did not load. Reload the page to try again.", words);
    }

    document.addEventListener("payload_capture:job", (event) => {
        const place = places.get(event.detail.place);
        if (place) place.job(event.detail.text);
    });

    if (typeof onAfterUiUpdate === "function") onAfterUiUpdate(attach);
    else if (typeof onUiUpdate === "function") onUiUpdate(attach);

    Object.assign(pc, {places});
})((window.payloadCapture = window.payloadCapture || {}));
