// Says that the page could not begin, in place of nothing. As a script of the
// old kind it also runs where modules do not.
addEventListener("error", function (event) {
  if (document.documentElement.dataset.begun) return;
  var main = document.querySelector("main");
  if (!main) return;
  var spanish = String(navigator.language).slice(0, 2) === "es";
  var title = document.createElement("h1");
  title.textContent = "taskapi";
  var text = document.createElement("p");
  text.className = "note";
  text.setAttribute("role", "alert");
  text.textContent = (spanish ? "La página no ha podido empezar en este navegador. Recárgala o prueba con otro, y envía esta frase a quien lleva el servidor: "
    : "The page could not begin in this browser. Reload it or try another one, and send this sentence to whoever runs the server: ")
    + (event.message || (event.target && event.target.src) || "?");
  main.replaceChildren(title, text);
}, true);
