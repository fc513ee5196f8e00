// The bundle of the log page. Without scripts the page stands as the server wrote it.
import { LogPage } from "./page.js";

const log = document.querySelector("[data-logs]");
if (log) log.logPage = new LogPage(log);
