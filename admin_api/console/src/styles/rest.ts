/** All component styles, for every page except the claim page. */
import "@mantine/core/styles.css";
