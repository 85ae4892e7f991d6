/**
 * The libraries that the pages load: which, in which version, and the hash that each must have.
 *
 * One path serves for both homes of a file: `/assets/<path>` on our own server, where collect.js has put it, and
 * `<CDN><path>` for a server that was set up without npm. The hash is checked by the browser in both cases.
 */

const LOCAL = "/assets/";
const CDN = "https://unpkg.com/";

export const LIBRARIES = {
  react: {
    path: "react@18.2.0/umd/react.production.min.js",
    integrity: "sha384-tMH8h3BGESGckSAVGZ82T9n90ztNXxvdwvdM6UoR56cYcf+0iGXBliJ29D+wZ/x8",
  },
  reactDom: {
    path: "react-dom@18.2.0/umd/react-dom.production.min.js",
    integrity: "sha384-bm7MnzvK++ykSwVJ2tynSE5TRdN+xL418osEVF2DE/L/gfWHj91J2Sphe582B1Bh",
  },
  graphiql: {
    path: "graphiql@3.8.3/graphiql.min.js",
    integrity: "sha384-HbRVEFG0JGJZeAHCJ9Xm2+tpknBQ7QZmNlO/DgZtkZ0aJSypT96YYGRNod99l9Ie",
  },
  graphiqlStyle: {
    path: "graphiql@3.8.3/graphiql.min.css",
    integrity: "sha384-Mq3vbRBY71jfjQAt/DcjxUIYY33ksal4cgdRt9U/hNPvHBCaT2JfJ/PTRiPKf0aM",
  },
  explorer: {
    path: "@graphiql/plugin-explorer@1.0.2/dist/index.umd.js",
    integrity: "sha384-2oonKe47vfHIZnmB6ZZ10vl7T0Y+qrHQF2cmNTaFDuPshpKqpUMGMc9jgj9MLDZ9",
  },
  explorerStyle: {
    path: "@graphiql/plugin-explorer@1.0.2/dist/style.css",
    integrity: "sha384-5DFJlDPW2tSATRbM8kzoP1j194jexLswuNmClWoRr2Q0x7R68JIQzPHZ02Faktwi",
  },
  graphqlWs: {
    path: "graphql-ws@5.16.2/umd/graphql-ws.min.js",
    integrity: "sha384-+EVxFEOpy8LWPRQcpntm0FKN2O+BzrMNSL0G3HIgVWFmeb6xqZqjuLivrQUTXZKi",
  },
};

/** Loads one script or style sheet, from here or else from the CDN; rejects when neither has it with the right hash. */
export async function load({ path, integrity }) {
  try {
    await insert(LOCAL + path, integrity);
  } catch {
    await insert(CDN + path, integrity);
  }
}

function insert(address, integrity) {
  const element = address.endsWith(".css")
    ? Object.assign(document.createElement("link"), { rel: "stylesheet", href: address })
    : Object.assign(document.createElement("script"), { src: address });
  Object.assign(element, { integrity, crossOrigin: "anonymous" });
  return new Promise((resolve, reject) => {
    element.addEventListener("load", resolve);
    element.addEventListener("error", () => reject(new Error(`${address} could not be loaded.`)));
    document.head.append(element);
  });
}
