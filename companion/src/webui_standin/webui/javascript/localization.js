// Translates the page by the global `localization`, which the server puts on it. What is translated
// and what is not: A1111 v1.10.1, javascript/localization.js, as seen from outside: whole texts
// that stand in the dictionary, when they come onto the page; of titles and placeholders only those
// of the element that was added itself; no number, nothing with an emoji, no text that changes
// in place.

(function() {
    const closed = ['SCRIPT', 'STYLE', 'TEXTAREA'];
    const number = /^[.\d]+$/;
    const emoji = /[\p{Extended_Pictographic}\u{1F3FB}-\u{1F3FF}\u{1F9B0}-\u{1F9B3}]/u;

    function translateText(node) {
        const text = node.textContent.trim();
        if (!text || number.test(text) || emoji.test(text)) return;
        if (!node.parentElement || closed.includes(node.parentElement.nodeName)) return;
        if (localization[text] !== undefined) node.textContent = localization[text];
    }

    function translate(node) {
        if (node.nodeType === Node.TEXT_NODE) return translateText(node);
        for (const name of ['title', 'placeholder']) {
            if (node[name] && localization[node[name]] !== undefined) node[name] = localization[node[name]];
        }
        const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
        const found = [];
        while (texts.nextNode()) found.push(texts.currentNode);
        found.forEach(translateText);
    }

    document.addEventListener('DOMContentLoaded', function() {
        if (!window.localization || !Object.keys(localization).length) return;
        onUiUpdate((mutations) => {
            mutations.forEach((mutation) => mutation.addedNodes.forEach(translate));
        });
        translate(gradioApp());
    });
})();
