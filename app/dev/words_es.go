package dev

func spanish() language {
	return language{
		first: []string{"Ana", "Bruno", "Carmen", "Diego", "Elena", "Francisco", "Gabriela", "Hugo", "Inés", "Javier", "Karla", "Lucía", "Mateo", "Nuria", "Óscar", "Paula", "Raúl", "Sofía", "Tomás", "Valeria", "Ximena", "Zoe", "Álvaro", "Begoña", "Íñigo"},
		last:  []string{"Álvarez", "Blanco", "Castro", "Díaz", "Fernández", "García", "Herrera", "Iglesias", "Jiménez", "León", "Muñoz", "Navarro", "Ortega", "Peña", "Quintana", "Ramírez", "Sánchez", "Torres", "Vega", "Núñez", "Méndez", "Zamora"},
		zones: []string{"Europe/Madrid", "America/Mexico_City", "America/Bogota", "America/Argentina/Buenos_Aires", "America/Santiago"},
		inbox: theme{name: "Inbox", labels: []string{"pronto", "algún día"}, tasks: once(
			"Llamar a {person}", "Renovar el pasaporte", "Reservar mesa para {number}", "Contestar a {person} sobre el sábado", "Recoger el paquete", "Buscar la garantía del hervidor",
			"Cancelar la prueba del gimnasio", "Pedir las fotos a {person}", "Devolver los libros a la biblioteca", "Cambiar la dirección en el banco", "Encontrar un fontanero", "Leer el artículo que envió {person}")},
		themes: []theme{
			{name: "Compra", color: "#2e7d32", shared: true, labels: []string{"mercado", "panadería"}, tasks: append(once(
				"Leche de avena", "Pan de masa madre", "{number} limones", "Café en grano", "Aceite de oliva", "Una docena de huevos", "Tomates para la salsa", "Albahaca", "Pastillas del lavavajillas", "Queso para {person}", "Plátanos", "Bolsas de basura"),
				idea{"Compra semanal", "FREQ=WEEKLY;BYDAY=SA"})},
			{name: "Casa", color: "#6d4c41", shared: true, labels: []string{"jardín", "arreglos", "papeleo"}, tasks: append(once(
				"Arreglar el grifo que gotea", "Pintar el pasillo", "Descongelar el congelador", "Purgar los radiadores", "Ordenar la caja de cables", "Colgar el espejo", "Pedir un filtro nuevo", "Afilar los cuchillos", "Comprar {number} soportes de estante", "Pedir la escalera a {person}"),
				idea{"Regar las plantas", "FREQ=DAILY;INTERVAL=3"}, idea{"Sacar el reciclaje", "FREQ=WEEKLY;BYDAY=TH"}, idea{"Pagar el alquiler", "FREQ=MONTHLY;BYMONTHDAY=1"}, idea{"Probar los detectores de humo", "FREQ=MONTHLY;BYDAY=1SU"})},
			{name: "Trabajo", color: "#1565c0", labels: []string{"reunión", "revisión", "redacción"}, tasks: append(once(
				"Enviar las diapositivas a {person}", "Revisar los cambios de {person}", "Preparar la charla de {month}", "Escribir las notas de la versión", "Atender la cola de soporte", "Planear la jornada de {month}", "Entrevista número {number}", "Limpiar los datos de pruebas", "Estimar la importación", "Borrador del presupuesto de {month}", "Reservar el viaje al cliente"),
				idea{"Informe semanal", "FREQ=WEEKLY;BYDAY=FR"}, idea{"Notas de la reunión diaria", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"}, idea{"Entregar los gastos", "FREQ=MONTHLY;BYMONTHDAY=25"})},
			{name: "Viaje a Lisboa", color: "#ef6c00", shared: true, labels: []string{"reserva", "equipaje"}, tasks: once(
				"Reservar los vuelos", "Reservar {number} noches cerca de Alfama", "Mirar los pasaportes", "Comprar un adaptador", "Descargar mapas sin conexión", "Preguntar a {person} por restaurantes", "Meter la crema solar", "Billetes del tranvía", "Seguro de viaje", "Avisar a {person} al aterrizar")},
			{name: "Salud", color: "#c62828", labels: []string{"cita"}, tasks: append(once(
				"Cita con el dentista", "Renovar la receta", "Revisión de la vista", "Zapatillas nuevas de correr", "Análisis de sangre antes de {month}"),
				idea{"Correr {number} km", "FREQ=WEEKLY;BYDAY=TU,SA"}, idea{"Tomar las vitaminas", "FREQ=DAILY"}, idea{"Revisión dental", "FREQ=MONTHLY;INTERVAL=6"})},
			{name: "Cumpleaños", color: "#ad1457", shared: true, labels: []string{"comida", "invitados"}, tasks: once(
				"Invitar a {person}", "Encargar la tarta", "Lista de canciones", "{number} globos", "Pedir sillas a {person}", "Decidir el regalo de {person}", "Velas", "Preguntar por alergias")},
			{name: "Lecturas", color: "#4527a0", labels: []string{"novela", "ensayo"}, tasks: once(
				"Terminar el libro de {person}", "Rayuela, capítulo {number}", "Artículo sobre SQLite", "Pedro Páramo", "Elegir libro para el club de {month}", "Devolver Dune a {person}")},
			{name: "Proyecto personal", color: "#00838f", labels: []string{"diseño", "fallo"}, tasks: append(once(
				"Bocetar la pantalla de inicio", "Arreglar el selector de fechas", "Ponerle nombre", "Pedir a {person} que lo pruebe", "Recoger los errores", "Modo oscuro", "Estados vacíos", "Escribir {number} pruebas"),
				idea{"Copia de seguridad del portátil", "FREQ=WEEKLY;BYDAY=SU"})},
		},
		notes: []string{"El número está en la nevera.", "Véase el correo de {person}.", "No antes del día {number}.", "Dos opciones:\n- la barata\n- la que dura", "https://example.com/detalles", "Pedir el recibo.", "La última vez tardé {number} minutos."},
		steps: []string{"Pedir presupuesto", "Hacer una lista", "Comparar precios", "Preguntar a {person}", "Hacerlo", "Revisarlo otra vez"},
	}
}
