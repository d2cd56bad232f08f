/** All of the components' styles, for every room but the claim page. */
import "@mantine/core/styles.css";
